/** Launches on the whole platform: real servers, real workers, real processes as jobs. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetQueueUrlCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchOutputs } from '../../clients/launch/outputs.ts';
import { silent, tools } from '../../infra/local/tools/index.ts';
import { workflowIdOf } from '../../workflows/launch/model.ts';
import { sheet } from '../support/live-sheet.ts';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';

let longhaul: Longhaul;

beforeAll(async () => {
  longhaul = await openLonghaul();
  await Promise.all(['a', 'b'].map((name) => longhaul.put(`data/in/${name}.txt`, `content of ${name}\n`)));
});
afterAll(() => longhaul?.close());

/** Uploads a sheet as a user of S3 does: nothing else tells Longhaul of it. */
const upload = (name: string, text: string, consumer = 'lab-a') =>
  longhaul.put(`sheets/${consumer}/${name}.yaml`, text);

async function outputText(launchId: string, step: string, item = 'all'): Promise<string> {
  const outputs = await launchOutputs(longhaul.aws.s3, longhaul.settings.bucket, launchId);
  const output = outputs.find((candidate) => candidate.step === step && candidate.item === item);
  return longhaul.read(output?.address ?? '');
}

describe('a sheet put into S3', () => {
  it('is launched by its event, scatters, gathers, and ends COMPLETE with the right outputs', async () => {
    await upload(
      'scatter',
      sheet(
        'scatter-1',
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
      ),
    );

    const progress = await longhaul.follow('scatter-1');

    expect(progress.status).toBe('COMPLETE');
    expect(Object.keys(progress.statuses)).toEqual(
      expect.arrayContaining(['PREPARING', 'READY', 'RUNNING', 'COMPLETE']),
    );
    expect(await outputText('scatter-1', 'shout', 'b')).toBe('CONTENT OF B\n');
    expect(await outputText('scatter-1', 'plain')).toBe('CONTENT OF A\nCONTENT OF B\n');
    const item = await longhaul.launches.get('scatter-1');
    expect(item).toMatchObject({
      consumer: 'lab-a',
      workflow_type: 'steps',
      compute_service: 'batch',
      data_path: 's3://longhaul/data/',
    });
    expect(await longhaul.calls({ service: 'dynamodb', operation: 'Scan' })).toEqual([]);
  });

  it('that cannot be read as a sheet is registered as FAILED with the message', async () => {
    const address = await upload('broken', 'launchId: broken-1\nsteps: [');

    const progress = await longhaul.follow('broken-1');

    expect(progress.status).toBe('FAILED');
    expect(progress.error?.type).toBe('InvalidSheetError');
    expect(progress.error?.message).toContain(`${address}:2: not valid YAML or JSON`);
  });

  it('names every parameter and object that is missing at once', async () => {
    const inputs = { one: 'in/nothing.txt', two: 's3://no-such-bucket-here/x.txt' };
    await upload(
      'missing',
      sheet('missing-1', { a: { command: 'true', inputs }, b: { command: 'true', inputs: { three: 'in/*.bam' } } }),
    );

    const { status, error } = await longhaul.follow('missing-1');

    expect(status).toBe('FAILED');
    expect(error?.type).toBe('MissingRequiredParametersError');
    expect(error?.message).toContain('steps.a.inputs.one: s3://longhaul/data/in/nothing.txt: there is no such object');
    expect(error?.message).toMatch(
      /steps\.a\.inputs\.two: s3:\/\/no-such-bucket-here\/x\.txt: there is no such (bucket|object)/,
    );
    expect(error?.message).toContain('steps.b.inputs.three: s3://longhaul/data/in/*.bam: nothing matches this pattern');
  });

  it('under the prefix of another consumer is refused', async () => {
    await upload('stolen', sheet('stolen-1', { a: { command: 'true' } }), 'lab-b');

    const { status, error } = await longhaul.follow('stolen-1');

    expect(status).toBe('FAILED');
    expect(error?.message).toContain('so its consumer is lab-b, not lab-a');
  });

  it('whose event comes again, also long after the end, starts nothing', async () => {
    const address = await upload('again', sheet('again-1', { a: { command: 'echo x > x', outputs: { x: 'x' } } }));
    await longhaul.follow('again-1');
    const before = await longhaul.temporal.client.workflow.getHandle(workflowIdOf('again-1')).describe();
    const { QueueUrl } = await longhaul.aws.sqs.send(
      new GetQueueUrlCommand({ QueueName: longhaul.settings.eventsQueue }),
    );
    const key = address.slice('s3://longhaul/'.length);
    const record = { eventName: 'ObjectCreated:Put', s3: { bucket: { name: 'longhaul' }, object: { key } } };
    for (let copy = 0; copy < 3; copy += 1) {
      await longhaul.aws.sqs.send(
        new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify({ Records: [record] }) }),
      );
    }
    await expect
      .poll(async () => (await longhaul.logs()).split('"launchId":"again-1","outcome":"existing"').length - 1)
      .toBe(3);

    const after = await longhaul.temporal.client.workflow.getHandle(workflowIdOf('again-1')).describe();
    expect(after.runId).toBe(before.runId);
  });

  it('is not held up by poison, which ends in the dead-letter queue', async () => {
    const { QueueUrl } = await longhaul.aws.sqs.send(
      new GetQueueUrlCommand({ QueueName: longhaul.settings.eventsQueue }),
    );
    await longhaul.aws.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: '{"half": ' }));
    await upload('beside', sheet('beside-1', { a: { command: 'true' } }));
    expect((await longhaul.follow('beside-1')).status).toBe('COMPLETE');
    const dead = await longhaul.aws.sqs.send(
      new GetQueueUrlCommand({ QueueName: `${longhaul.settings.eventsQueue}-dead-letters` }),
    );

    // Five receives, a visibility timeout of a minute each: by the stand-ins' clock.
    await expect
      .poll(
        async () => {
          await longhaul.action('POST clock', { advanceMs: 61_000 });
          const { Messages = [] } = await longhaul.aws.sqs.send(
            new ReceiveMessageCommand({ QueueUrl: dead.QueueUrl, VisibilityTimeout: 0 }),
          );
          return Messages.map((message) => message.Body);
        },
        { interval: 500 },
      )
      .toContain('{"half": ');
  });
});

describe('a launch that goes wrong', () => {
  it('is FAILED with the step, the exit code and the last lines of its log', async () => {
    await upload(
      'exits',
      sheet('exits-1', { a: { command: 'echo the disk is full >&2\nexit 3' }, b: { command: 'true', after: ['a'] } }),
    );

    const { status, error } = await longhaul.follow('exits-1');

    expect(status).toBe('FAILED');
    expect(error).toEqual({
      type: 'StepFailedError',
      message: expect.stringContaining('step a: item all: the command failed, main exited with 3'),
    });
    expect(error?.message).toContain('the disk is full');
    const [row] = await longhaul.steps.ofLaunch('exits-1', 1);
    expect(row?.failures?.[0]).toMatchObject({ container: 'main', exit_code: 3, last_log_lines: ['the disk is full'] });
    const shown = await longhaul.cli('launch', 'show', 'exits-1');
    expect(shown.stdout).toContain('| the disk is full');
  });

  it('says so when a job used more memory than it was given', async () => {
    const command = `python3 -c 'x = bytearray(300_000_000); import time; time.sleep(20)'`;
    await upload('memory', sheet('memory-1', { a: { command, resources: { vcpus: 1, memoryMiB: 64 } } }));

    const { status, error } = await longhaul.follow('memory-1');

    expect(status).toBe('FAILED');
    expect(error?.message).toContain('main exited with 137 (OutOfMemoryError: Container killed due to memory usage)');
  });

  it('names the outputs a command left out', async () => {
    await upload(
      'forgets',
      sheet('forgets-1', { a: { command: 'true', outputs: { bam: 'x.bam', stats: 'stats/*.txt' } } }),
    );

    const { status, error } = await longhaul.follow('forgets-1');

    expect(status).toBe('FAILED');
    expect(error?.type).toBe('OutputsMissingError');
    expect(error?.message).toContain('not there after the command: bam (x.bam), stats (stats/*.txt)');
  });

  it('is FAILED before anything is submitted when its image is not there', async () => {
    await upload('image', sheet('image-1', { a: { image: 'nobody/nothing:9', command: 'true' } }));

    const { status, error } = await longhaul.follow('image-1');

    expect(status).toBe('FAILED');
    expect(error).toEqual({
      type: 'PreflightFailedError',
      message: expect.stringContaining('steps.a.image: nobody/nothing:9'),
    });
    expect(await longhaul.steps.ofLaunch('image-1', 1)).toEqual([]);
  });
});

describe('a job that Batch refuses', () => {
  it('fails the launch with its words instead of hanging it', async () => {
    // What preflight can foresee it does; a queue may still be disabled a moment later.
    await longhaul.faults([
      {
        service: 'batch',
        operation: 'SubmitJob',
        subject: 'refused-1',
        effect: 'error',
        status: 400,
        code: 'ClientException',
      },
    ]);
    await upload('refused', sheet('refused-1', { a: { command: 'true' } }, { cache: false }));

    const { status, error } = await longhaul.follow('refused-1');

    expect(status).toBe('FAILED');
    expect(error).toEqual({ type: 'JobRejectedError', message: expect.stringContaining('AWS Batch refuses the job') });
    await longhaul.faults([]);
  });

  it('because it is too large is known before', async () => {
    const environment = Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`V${index}`, 'x'.repeat(100)]));
    await upload('large', sheet('large-1', { a: { command: 'true', environment } }));

    const { error } = await longhaul.follow('large-1');

    expect(error).toEqual({ type: 'PreflightFailedError', message: expect.stringContaining('steps.a') });
  });
});

describe('a shared file system', () => {
  it('is read and written in place: nothing is copied', async () => {
    const hostPath = join(longhaul.directory, 'shared');
    await mkdir(join(hostPath, 'study'), { recursive: true });
    await writeFile(join(hostPath, 'study/reads.txt'), 'ACGT\n');
    const steps = {
      count: {
        command: 'wc -c < ${{ inputs.reads }} > n.txt',
        inputs: { reads: 'reads.txt' },
        outputs: { n: 'n.txt' },
      },
      twice: {
        command: 'cat ${{ inputs.n }} ${{ inputs.n }} > m.txt',
        inputs: { n: { from: 'count.n' } },
        outputs: { m: 'm.txt' },
      },
    };
    await upload('shared', sheet('shared-1', steps, { sharedFileSystem: { type: 'host', hostPath, root: 'study' } }));

    const { status, error } = await longhaul.follow('shared-1');

    expect(error).toBeUndefined();
    expect(status).toBe('COMPLETE');
    const outputs = await launchOutputs(longhaul.aws.s3, 'longhaul', 'shared-1');
    expect(outputs.map(({ step, address }) => [step, address.split('/')[0]])).toEqual([
      ['count', 'shared:longhaul'],
      ['twice', 'shared:longhaul'],
    ]);
    const result = outputs[1]?.address.slice('shared:'.length) ?? '';
    expect((await readFile(join(hostPath, result), 'utf8')).replaceAll(' ', '')).toBe('5\n5\n');
    const written = (await longhaul.calls({ service: 's3', operation: 'PutObject' })).filter((call) =>
      call.subject.includes('results/lab-a/shared-1'),
    );
    expect(written).toEqual([]);
    expect(await readdir(join(hostPath, 'longhaul/shared-1'))).toEqual(['count', 'twice']);
  });
});

describe('by hand', () => {
  it('the real temporal CLI starts the same workflow, and the Web UI has what a person wants to see', async () => {
    const { path } = await tools.temporal(silent);
    const address = await longhaul.put(
      'by-hand/sheet.yaml',
      sheet('by-hand-1', { a: { command: 'echo hi > x', outputs: { x: 'x' } } }),
    );
    const input = JSON.stringify({ launchId: 'by-hand-1', configurationFile: address });

    const started = await longhaul.run(
      path,
      ...['workflow', 'start', '--type', 'launch', '--task-queue', 'longhaul', '--workflow-id', 'launch/by-hand-1'],
      ...['--input', input, '--address', longhaul.platform.urls.temporal],
    );
    expect(started.stderr).toBe('');
    expect((await longhaul.follow('by-hand-1')).status).toBe('COMPLETE');

    const shown = await longhaul.run(
      path,
      ...[
        'workflow',
        'show',
        '-w',
        'launch/by-hand-1',
        '--output',
        'json',
        '--address',
        longhaul.platform.urls.temporal,
      ],
    );
    const summaries = [...shown.stdout.matchAll(/"userMetadata"/g)];
    expect(summaries.length).toBeGreaterThan(4);
    const listed = await longhaul.run(
      path,
      ...[
        'workflow',
        'count',
        '--query',
        `LonghaulStatus="COMPLETE" AND LonghaulConsumer="lab-a" AND LonghaulComputeService="batch" AND LonghaulWorkflowType="steps" AND WorkflowId="launch/by-hand-1"`,
      ],
      ...['--address', longhaul.platform.urls.temporal],
    );
    expect(listed.stdout).toContain('Total: 1');
  });

  it('static summary and details, current details and named activities are there', async () => {
    await upload('named', sheet('named-1', { a: { command: 'true' } }));
    await longhaul.follow('named-1');
    const handle = longhaul.temporal.client.workflow.getHandle(workflowIdOf('named-1'));

    const described = await handle.describe();
    expect(await described.staticSummary()).toBe('launch named-1');
    expect(await described.staticDetails()).toContain('s3://longhaul/sheets/lab-a/named.yaml');
    const metadata = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(metadata.currentDetails).toContain('**COMPLETE**');
    expect(metadata.currentDetails).toContain('| a | SUCCEEDED | 1 of 1');
  });

  it('bad input to the workflow is refused with the reason', async () => {
    const handle = await longhaul.temporal.client.workflow.start('launch', {
      workflowId: 'launch/nothing',
      taskQueue: 'longhaul',
      args: [{ launchId: '', configurationFile: 'nowhere' }],
    });
    const error = await handle.result().catch((thrown: Error) => thrown.cause as Error);
    expect(error).toMatchObject({ type: 'MissingRequiredParametersError' });
    expect((error as Error).message).toContain('launchId: missing');
    expect((error as Error).message).toContain('configurationFile: expected s3://bucket/object');
  });
});
