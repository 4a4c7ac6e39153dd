/** Launches whose jobs run on Kubernetes: the whole platform, and a stand-in for the cluster. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchOutputs } from '../../clients/launch/outputs.ts';
import { type Kubernetes, openKubernetes } from '../../infra/local/kubernetes/server.ts';
import { sheet } from '../support/live-sheet.ts';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';

let directory: string;
let kubernetes: Kubernetes;
let longhaul: Longhaul;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'longhaul-eks-'));
  // The workers need the cluster's address at their start, its pods the platform's once they run.
  const environment: Record<string, string> = {};
  const imagesFile = join(directory, 'images.json');
  kubernetes = await openKubernetes({
    directory: join(directory, 'cluster'),
    imagesFile: () => (longhaul ? join(longhaul.directory, 'state/images.json') : imagesFile),
    environment,
  });
  const kubeconfig = join(directory, 'kubeconfig');
  await writeFile(kubeconfig, kubernetes.kubeconfig());
  longhaul = await openLonghaul({ LONGHAUL_EKS_CLUSTER: 'stand-in', KUBECONFIG: kubeconfig });
  for (const [name, value] of Object.entries(longhaul.platform.environment))
    if (name.startsWith('AWS_')) environment[name] = value;
  await Promise.all(['a', 'b', 'c'].map((name) => longhaul.put(`data/in/${name}.txt`, `content of ${name}\n`)));
});
afterAll(async () => {
  await longhaul?.close();
  await kubernetes?.close();
  delete process.env.KUBECONFIG;
  if (directory) await rm(directory, { recursive: true, force: true });
});

const upload = (launchId: string, steps: Parameters<typeof sheet>[1], rest: Parameters<typeof sheet>[2] = {}) =>
  longhaul.put(`sheets/lab-a/${launchId}.yaml`, sheet(launchId, steps, { computeService: 'eks', ...rest }));

describe('a launch on Kubernetes', () => {
  it('scatters, gathers and ends COMPLETE with the right outputs; nothing went to AWS Batch', async () => {
    await upload(
      'eks-1',
      {
        shout: {
          scatter: ['sample'],
          inputs: { text: 'in/${{ sample }}.txt' },
          outputs: { loud: '${{ sample }}.loud' },
          command: 'tr a-z A-Z < ${{ inputs.text }} > ${{ outputs.loud }}',
        },
        join: {
          inputs: { parts: { from: 'shout.loud', gather: true } },
          outputs: { all: 'all.txt' },
          command: 'cat ${{ inputs.parts }} > all.txt',
        },
        plain: {
          argv: ['cp', '${{ inputs.all }}', '${{ outputs.copy }}'],
          inputs: { all: { from: 'join.all' } },
          outputs: { copy: 'copy.txt' },
        },
      },
      { scatter: { sample: { discover: 'in/*.txt' } } },
    );
    const progress = await longhaul.follow('eks-1');

    expect(progress.status).toBe('COMPLETE');
    const outputs = await launchOutputs(longhaul.aws.s3, longhaul.settings.bucket, 'eks-1');
    const copy = outputs.find(({ step }) => step === 'plain');
    expect(await longhaul.read(copy?.address ?? '')).toBe('CONTENT OF A\nCONTENT OF B\nCONTENT OF C\n');
    expect(await longhaul.launches.get('eks-1')).toMatchObject({ compute_service: 'eks' });
    expect(await longhaul.calls({ service: 'batch', operation: 'SubmitJob' })).toEqual([]);
    expect(kubernetes.calls.list({ operation: 'createJob' })).toHaveLength(3);
  });

  it('that fails says of what, with the last lines of its log', async () => {
    await upload('eks-2', { bad: { command: 'echo going; echo "no such gene" >&2; exit 4', outputs: { x: 'x' } } });
    const progress = await longhaul.follow('eks-2');

    expect(progress.status).toBe('FAILED');
    expect(progress.error).toMatchObject({ type: 'StepFailedError' });
    expect(progress.error?.message).toContain('main exited with 4');
    expect(progress.error?.message).toContain('no such gene');
  });

  it('tries again by itself what ran out of memory, with more', async () => {
    await upload('eks-3', {
      hungry: {
        resources: { vcpus: 1, memoryMiB: 64, maxMemoryMiB: 1024 },
        outputs: { x: 'x' },
        // A string of 96 MB, held until the shell ends.
        command: 'a=$(head -c 96000000 /dev/zero | tr "\\0" x); sleep 1; echo ${#a} > x',
      },
    });
    const progress = await longhaul.follow('eks-3');

    expect(progress.status).toBe('COMPLETE');
    expect(progress.steps[0]?.generation).toBeGreaterThan(1);
  });

  it('whose image is nowhere fails instead of being pulled for ever', async () => {
    await upload('eks-4', {
      lost: { image: 'quay.invalid/nobody/nothing:1', command: 'true > x', outputs: { x: 'x' } },
    });
    const progress = await longhaul.follow('eks-4');

    expect(progress.status).toBe('FAILED');
  });

  it('that is cancelled leaves no pod behind', async () => {
    await upload('eks-5', { long: { command: 'sleep 600; true > x', outputs: { x: 'x' } } });
    await expect.poll(async () => (await longhaul.launches.get('eks-5'))?.status).toBe('RUNNING');
    const cancelled = await longhaul.cli('launch', 'cancel', 'eks-5', '--json');
    const progress = await longhaul.follow('eks-5');

    expect(cancelled.code).toBe(0);
    expect(progress.status).toBe('CANCELLED');
    await expect.poll(() => kubernetes.openPods()).toBe(0);
  });

  it('has one job for a creation whose answer was lost', async () => {
    kubernetes.faults.set([{ service: 'kubernetes', operation: 'createJob', effect: 'reset', when: 'after' }]);
    await upload('eks-6', { one: { command: 'echo 1 > x', outputs: { x: 'x' } } });
    const progress = await longhaul.follow('eks-6');

    expect(progress.status).toBe('COMPLETE');
    expect(kubernetes.faults.hits()).toEqual([1]);
    const creations = kubernetes.calls
      .list({ operation: 'createJob' })
      .filter(({ subject }) => subject.includes('eks-6'));
    // No answer, then: it is there already.
    expect(creations.map(({ status }) => status)).toEqual([0, 409]);
  });

  it('is read line by line from its pods, whichever item and attempt wrote them', async () => {
    await upload(
      'eks-7',
      {
        many: { scatter: ['sample'], command: 'echo first of ${{ sample }}; echo last of ${{ sample }}' },
        one: { after: ['many'], command: 'echo alone >&2; exit 3', retries: { exit: 1 } },
      },
      { scatter: { sample: ['a', 'b', 'c'] } },
    );
    expect((await longhaul.follow('eks-7')).status).toBe('FAILED');
    const lines = async (...options: string[]) => {
      const answer = await longhaul.cli('launch', 'logs', 'eks-7', ...options, '--json');
      expect(answer).toMatchObject({ code: 0 });
      const read = answer.stdout.split('\n').filter(Boolean);
      return read.map((line) => JSON.parse(line) as { item: string; message: string; generation: number; at: string });
    };

    const many = await lines('many');
    expect(many.map(({ item, message }) => [item, message])).toEqual(
      ['a', 'b', 'c'].flatMap((item) => [
        [item, `first of ${item}`],
        [item, `last of ${item}`],
      ]),
    );
    expect(Math.abs(Date.parse(many[0]?.at ?? '') - Date.now())).toBeLessThan(600_000);
    expect((await lines('many', '--item', 'b', '--tail', '1')).map(({ message }) => message)).toEqual(['last of b']);
    expect((await lines('many', '--since', '1h')).length).toBe(6);
    expect((await lines('one', '--errors')).map(({ message, generation }) => [message, generation])).toEqual([
      ['alone', 1],
      ['alone', 2],
    ]);
    expect((await lines('many', '--follow')).length).toBe(6);
    const searched = await longhaul.cli('launch', 'logs', 'eks-7', '--search', 'first');
    expect(searched).toMatchObject({ code: 1, stderr: expect.stringContaining('grep') });
    expect(await longhaul.calls({ service: 'batch', operation: 'DescribeJobs' })).toEqual([]);
  });

  it('is followed while its pods write', async () => {
    await upload('eks-8', { slow: { command: 'for n in 1 2 3; do echo line $n; sleep 2; done' } });
    await expect.poll(async () => (await longhaul.launches.get('eks-8'))?.status).toBe('RUNNING');

    const followed = await longhaul.cli('launch', 'logs', 'eks-8', '--follow', '--json');

    const messages = followed.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { message: string }).message);
    expect(messages).toEqual(['line 1', 'line 2', 'line 3']);
    expect(followed.stderr).toContain('launch eks-8 is COMPLETE');
  });
});
