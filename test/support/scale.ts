/**
 * Wide launches on the embedded platform whose jobs run inside the Batch stand-in: what they cost in history, calls and
 * planning. Used by the faults lane with hundreds of items, and by the bench with ten thousand.
 *
 * @module
 */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { packageRoot } from '../../infra/local/platform/root.ts';
import { workflowIdOf } from '../../workflows/launch/model.ts';
import { sheet } from './live-sheet.ts';
import type { Longhaul } from './longhaul.ts';

/** Access key of jobs: their calls are told apart by it. */
const JOB_PRINCIPAL = 'job';

export interface ScaleResult {
  items: number;
  status: string;
  historyEvents: number;
  /** By workers and clients, from the sheet's upload to the end. */
  calls: Record<string, number>;
  callsPerJob: number;
  /** From the launch's registration until its first job was submitted: read, checked, planned; milliseconds. */
  plannedMs: number;
  /** From the sheet's upload until the end. */
  totalMs: number;
  generations: number;
}

/** Makes `stage` and `publish` run inside the stand-in, and images of these names too. */
export async function installModuleHelpers(longhaul: Longhaul, ...images: string[]): Promise<void> {
  const outfile = join(longhaul.directory, 'instant.mjs');
  await build({
    entryPoints: [join(packageRoot(), 'test/support/images/instant.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  const file = join(longhaul.directory, 'state/images.json');
  const known = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  const modules = Object.fromEntries(
    [longhaul.settings.jobImage, ...images].map((name) => [name, { module: outfile }]),
  );
  await writeFile(file, JSON.stringify({ ...known, ...modules }));
}

/** One scattered step over `items` items, the share `failing` of which fails once. */
export async function launchWide(
  longhaul: Longhaul,
  launchId: string,
  options: { items: number; failing: number; image: string; inputs: boolean },
): Promise<ScaleResult> {
  const { items, image } = options;
  const begun = Date.now();
  const before = await longhaul.action('GET calls?service=none');
  await longhaul.put(
    `sheets/lab-a/${launchId}.yaml`,
    sheet(
      launchId,
      {
        wide: {
          image,
          scatter: ['sample'],
          argv: ['main'],
          retries: 2,
          environment: { FAIL_SHARE: String(options.failing), FAIL_FROM_SIZE: String(items) },
          resources: { vcpus: 1, memoryMiB: 64 },
          ...(options.inputs && { inputs: { x: '${{ sample }}.txt' } }),
        },
      },
      {
        scatter: options.inputs
          ? { sample: { discover: '*.txt' } }
          : { sample: Array.from({ length: items }, (_, index) => `s${index}`) },
        dataPath: `s3://longhaul/data/${launchId}/`,
      },
    ),
  );
  // Asking for the workflow's result costs no call that is counted, unlike following the launch.
  const handle = longhaul.temporal.client.workflow.getHandle(workflowIdOf(launchId));
  for (;;) {
    const known = await handle.describe().catch(() => undefined);
    if (known) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const result = (await handle.result().catch((error: Error) => ({ status: String(error.cause ?? error) }))) as {
    status: string;
  };
  const totalMs = Date.now() - begun;
  const { historyLength } = await handle.describe();
  const { calls } = (await longhaul.action(`GET calls?after=${String(before.lastSeq)}`)) as {
    calls: Awaited<ReturnType<Longhaul['calls']>>;
  };
  const mine = calls.filter(
    ({ principal, operation }) => principal !== JOB_PRINCIPAL && operation !== 'ReceiveMessage',
  );
  const counted: Record<string, number> = {};
  for (const { service, operation } of mine) {
    const name = `${service}:${operation}`;
    counted[name] = (counted[name] ?? 0) + 1;
  }
  const submitted = mine.filter(({ operation }) => operation === 'SubmitJob').map(({ at }) => Date.parse(at));
  const item = await longhaul.launches.get(launchId);
  const [row] = await longhaul.steps.ofLaunch(launchId, 1);
  return {
    items,
    status: result.status,
    historyEvents: historyLength,
    calls: counted,
    callsPerJob: Math.round((10_000 * mine.length) / items) / 10_000,
    plannedMs: (submitted[0] ?? Number.NaN) - Date.parse(item?.statuses.PREPARING ?? ''),
    totalMs,
    generations: row?.generation ?? 0,
  };
}
