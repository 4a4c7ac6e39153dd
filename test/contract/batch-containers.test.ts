import type { RegisterJobDefinitionCommandInput } from '@aws-sdk/client-batch';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BATCH_READY, type BatchTarget, NODE_IMAGE, openBatchTarget, requirements } from './batch-target.ts';

type Task = NonNullable<NonNullable<RegisterJobDefinitionCommandInput['ecsProperties']>['taskProperties']>[number];

let at: BatchTarget;
const container = (name: string, text: string, more: object = {}) => ({
  name,
  image: NODE_IMAGE,
  command: ['node', '-e', text],
  resourceRequirements: requirements(256),
  mountPoints: [{ sourceVolume: 'work', containerPath: '/work' }],
  ...more,
});
const define = (containers: Task['containers']) =>
  at.register({ ecsProperties: { taskProperties: [{ containers, volumes: [{ name: 'work', host: {} }] }] } });
const stageMainPublish = (texts: { stage: string; main: string; publish: string }) =>
  define([
    container('stage', texts.stage, { essential: false }),
    container('main', texts.main, { essential: false, dependsOn: [{ containerName: 'stage', condition: 'SUCCESS' }] }),
    container('publish', texts.publish, {
      essential: true,
      dependsOn: [{ containerName: 'main', condition: 'COMPLETE' }],
    }),
  ]);

/** The part of the job program that asks the instance metadata service, as one text. */
async function instanceProgram(): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { readInstance } from './jobs/instance.ts'; console.log(JSON.stringify(await readInstance(process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT)));`,
      resolveDir: process.cwd(),
    },
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
  });
  return outputFiles[0]?.text ?? '';
}

describe.skipIf(!BATCH_READY)(
  'AWS Batch multi-container jobs',
  { timeout: process.env.LONGHAUL_VERIFY_AWS === '1' ? 900_000 : 60_000 },
  () => {
    beforeAll(async () => {
      at = await openBatchTarget();
    });
    afterAll(() => at?.close());

    it('hand files on through a shared volume, and end as the essential container ends', async () => {
      const definition = await stageMainPublish({
        stage: "require('fs').writeFileSync('/work/in', 'abc')",
        main: "const fs = require('fs'); fs.writeFileSync('/work/out', fs.readFileSync('/work/in') + process.env.MORE); process.exit(3)",
        publish: "process.exit(require('fs').readFileSync('/work/out', 'utf8') === 'abcdef' ? 0 : 1)",
      });
      const id = await at.submit(definition, {
        ecsPropertiesOverride: {
          taskProperties: [{ containers: [{ name: 'main', environment: [{ name: 'MORE', value: 'def' }] }] }],
        },
      });
      const job = await at.over(id);
      expect(job.status).toBe('SUCCEEDED');
      const ended = job.attempts?.[0]?.taskProperties?.[0]?.containers ?? [];
      expect(ended.map(({ name, exitCode }) => [name, exitCode]).sort()).toEqual([
        ['main', 3],
        ['publish', 0],
        ['stage', 0],
      ]);
      for (const { name, logStreamName } of ended) expect(logStreamName).toMatch(new RegExp(`/${name}/[0-9a-f]{32}$`));
      const shown = job.ecsProperties?.taskProperties?.[0]?.containers?.find(({ name }) => name === 'main');
      expect(shown).toMatchObject({ exitCode: 3, environment: [{ name: 'MORE', value: 'def' }] });
    });

    describe('are told by the metadata endpoint of their task', () => {
      it('how the containers before them ended, and who they are themselves', async () => {
        const ask = `(async () => {
          const fs = require('fs');
          const endpoint = process.env.ECS_CONTAINER_METADATA_URI_V4;
          const read = async (path) => (await fetch(endpoint + path)).json();
          const named = (task, name) => task.Containers.find(({ Name }) => Name === name || Name.endsWith('-' + name));
          let task = await read('/task');
          // The agent learns of an end a moment after the next container has been started.
          while (named(task, 'main').KnownStatus !== 'STOPPED') task = await read('/task');
          const own = await read('');
          const facts = ['stage', 'main', 'publish'].map((name) => {
            const { KnownStatus, ExitCode } = named(task, name);
            return [name, KnownStatus === 'STOPPED', ExitCode ?? null];
          });
          console.log(JSON.stringify({ endpoint, facts, own: own.Name, image: own.Image, arn: task.TaskARN }));
        })()`;
        const definition = await stageMainPublish({ stage: '', main: 'process.exit(3)', publish: ask });

        const job = await at.over(await at.submit(definition));

        const publish = job.attempts?.[0]?.taskProperties?.[0]?.containers?.find(({ name }) => name === 'publish');
        const [line = '{}'] = await at.lines(publish?.logStreamName ?? '');
        const told = JSON.parse(line);
        expect(job.status).toBe('SUCCEEDED');
        expect(told.facts).toEqual([
          ['stage', true, 0],
          ['main', true, 3],
          ['publish', false, null],
        ]);
        expect(told.own).toMatch(/(^|-)publish$/);
        expect(told.image).toBe(NODE_IMAGE);
        expect(told.arn).toBe(job.attempts?.[0]?.taskProperties?.[0]?.taskArn);
      });

      it('where they log, and nothing of a container that waits for others to end', async () => {
        const ask = `(async () => {
          const read = async (path) => (await fetch(process.env.ECS_CONTAINER_METADATA_URI_V4 + path)).json();
          const [{ LogDriver, LogOptions }, { Containers }] = [await read(''), await read('/task')];
          const options = Object.fromEntries(['group', 'region', 'stream'].map((name) => [name, LogOptions['awslogs-' + name]]));
          console.log(JSON.stringify({ LogDriver, options, names: Containers.map(({ Name }) => Name) }));
        })()`;
        const definition = await stageMainPublish({ stage: ask, main: ask, publish: '' });

        const job = await at.over(await at.submit(definition));

        for (const [name, waiting] of [
          ['stage', /(^|-)(main|publish)$/],
          ['main', /(^|-)publish$/],
        ] as const) {
          const ended = job.attempts?.[0]?.taskProperties?.[0]?.containers?.find((one) => one.name === name);
          const [line = '{}'] = await at.lines(ended?.logStreamName ?? '');
          const told = JSON.parse(line);
          expect(told).toMatchObject({
            LogDriver: 'awslogs',
            options: { group: '/aws/batch/job', region: at.target.client.region, stream: ended?.logStreamName },
          });
          expect(told.names.filter((one: string) => waiting.test(one))).toEqual([]);
        }
      });

      it('which instance they are on, as the job program asks for it', async () => {
        const definition = await define([
          { ...container('main', ''), command: ['node', '--input-type=module', '-e', await instanceProgram()] },
        ]);

        const job = await at.over(await at.submit(definition));

        const stream = job.attempts?.[0]?.taskProperties?.[0]?.containers?.[0]?.logStreamName ?? '';
        const [line = ''] = await at.lines(stream);
        expect(JSON.parse(line)).toEqual({
          id: expect.stringMatching(/^i-[0-9a-f]{17}$/),
          type: expect.stringMatching(/^[a-z0-9-]+\.[a-z0-9]+$/),
          zone: expect.stringMatching(new RegExp(`^${at.target.client.region}[a-z]$`)),
          lifecycle: expect.stringMatching(/^(on-demand|spot)$/),
          architecture: expect.stringMatching(/^(x86_64|arm64)$/) as string,
          launchedAt: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/) as string,
        });
      });

      it.skipIf(process.env.LONGHAUL_VERIFY_AWS === '1')('only as long as the task runs', async () => {
        const definition = await define([container('main', 'console.log(process.env.ECS_CONTAINER_METADATA_URI_V4)')]);
        const job = await at.over(await at.submit(definition));
        const stream = job.attempts?.[0]?.taskProperties?.[0]?.containers?.[0]?.logStreamName ?? '';
        const [endpoint = ''] = await at.lines(stream);

        const answers = await Promise.all([fetch(endpoint), fetch(`${endpoint}/task`)]);

        expect(endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v4\//);
        expect(answers.map(({ status }) => status)).toEqual([404, 404]);
      });
    });

    it('never start what depends on a success that did not come', async () => {
      const definition = await stageMainPublish({ stage: 'process.exit(9)', main: '', publish: '' });
      const job = await at.over(await at.submit(definition));
      expect(job.status).toBe('FAILED');
      const ended = new Map(job.attempts?.[0]?.taskProperties?.[0]?.containers?.map((one) => [one.name, one]));
      expect(ended.get('stage')?.exitCode).toBe(9);
      expect(ended.get('main')?.logStreamName).toBeUndefined();
      expect(ended.get('publish')?.logStreamName).toBeUndefined();
    });

    it('stop the others when an essential container ends', async () => {
      const definition = await define([
        container('side', "process.on('SIGTERM', () => process.exit(6)); setInterval(() => {}, 1000)", {
          essential: false,
        }),
        container('main', 'setTimeout(() => {}, 500)', { dependsOn: [{ containerName: 'side', condition: 'START' }] }),
      ]);
      const job = await at.over(await at.submit(definition));
      expect(job.status).toBe('SUCCEEDED');
      const side = job.attempts?.[0]?.taskProperties?.[0]?.containers?.find(({ name }) => name === 'side');
      expect(side?.exitCode).toBe(6);
    });

    it('hold each container to its own memory', async () => {
      const definition = await stageMainPublish({
        stage: '',
        main: 'const held = []; setInterval(() => held.push(Buffer.alloc(2e7, 1)), 2)',
        publish: '',
      });
      const job = await at.over(await at.submit(definition));
      expect(job.status).toBe('SUCCEEDED');
      const main = job.attempts?.[0]?.taskProperties?.[0]?.containers?.find(({ name }) => name === 'main');
      expect(main).toMatchObject({ exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage' });
    });

    it.each<[string, () => Task['containers'], RegExp]>([
      ['two of one name', () => [container('a', ''), container('a', '')], /./],
      ['none that is essential', () => [container('a', '', { essential: false })], /./],
      [
        'a dependency on nobody',
        () => [container('a', '', { dependsOn: [{ containerName: 'b', condition: 'START' }] })],
        /./,
      ],
      [
        'SUCCESS of an essential one',
        () => [container('b', ''), container('a', '', { dependsOn: [{ containerName: 'b', condition: 'SUCCESS' }] })],
        /./,
      ],
      [
        'a volume nobody defined',
        () => [container('a', '', { mountPoints: [{ sourceVolume: 'x', containerPath: '/x' }] })],
        /./,
      ],
      ['no memory', () => [container('a', '', { resourceRequirements: [{ type: 'VCPU', value: '1' }] })], /./],
      ['eleven containers', () => Array.from({ length: 11 }, (_, index) => container(`c${index}`, '')), /./],
    ])('with %s are refused', async (_, containers, message) => {
      await expect(define(containers())).rejects.toMatchObject({
        name: 'ClientException',
        message: expect.stringMatching(message),
      });
    });
  },
);
