/** The demo as its user runs it, and the same pipeline on somebody else's reads. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchOutputs } from '../../clients/launch/outputs.ts';
import { packageRoot } from '../../infra/local/platform/root.ts';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';

const LAMBDA = join(packageRoot(), 'examples/lambda');

describe('npm run demo -- --archived --once --json', () => {
  it('waits for its archived reads, finds the planted variants and says where everything is', async () => {
    const state = await mkdtemp(join(tmpdir(), 'longhaul-demo-'));
    const env = { ...process.env, XDG_STATE_HOME: state };
    for (const name of ['TEMPORAL_ADDRESS', 'AWS_ENDPOINT_URL']) delete (env as NodeJS.ProcessEnv)[name];
    try {
      const stdout = execFileSync(
        process.execPath,
        [join(packageRoot(), 'dist/demo.js'), '--archived', '--once', '--json'],
        {
          env,
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;

      expect(result).toMatchObject({ status: 'COMPLETE', launchId: expect.stringMatching(/^sheet-/) });
      expect(Object.keys(result.statuses as object)).toEqual(
        expect.arrayContaining(['PREPARING', 'WAITING', 'READY', 'RUNNING', 'COMPLETE']),
      );
      expect(result.restore).toMatchObject({ objects: 6, tier: 'Bulk' });
      const restore = result.restore as { bytes: number; usd: number; seconds: number };
      expect(restore.bytes).toBeGreaterThan(1_000_000);
      expect(restore.usd).toBeGreaterThan(0);
      expect(restore.seconds).toBeGreaterThan(0);
      expect((result.steps as { name: string }[]).map(({ name }) => name)).toEqual([
        'align',
        'call',
        'merge',
        'compare',
      ]);
      const variants = result.variants as { planted: number; found: number; recalled: number; precision: number };
      expect(variants.planted).toBeGreaterThan(100);
      expect(variants.recalled).toBeGreaterThanOrEqual(0.95);
      expect(variants.precision).toBeGreaterThanOrEqual(0.95);
      const cost = result.cost as Record<string, string> & { lines: { component: string; amount: string }[] };
      expect(cost).toMatchObject({ currency: 'USD', filesystem_cost: expect.stringMatching(/^0\.0+$/) as string });
      expect(cost).not.toHaveProperty('unpriced');
      expect(Number(cost.total_cost)).toBeGreaterThan(0);
      expect(cost.restore_cost).toMatch(/^0\.\d{4}$/);
      expect(cost.lines.some(({ component, amount }) => component === 'restore' && Number(amount) > 0)).toBe(true);
      const sum = cost.lines.reduce((all, { amount }) => all + Number(amount), 0);
      expect(sum).toBeCloseTo(Number(cost.total_cost), 3);
      expect((result.outputs as unknown[]).length).toBeGreaterThanOrEqual(8);
      expect(result.temporalUi).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/namespaces\/default\/workflows\/launch%2F/);
    } finally {
      await rm(state, { recursive: true, force: true });
    }
  });
});

describe("Debian's bowtie2 example reads", () => {
  let longhaul: Longhaul | undefined;
  let reads: Buffer[] = [];

  beforeAll(async () => {
    reads = await fetchReads();
    if (reads.length > 0) longhaul = await openLonghaul();
  });
  afterAll(() => longhaul?.close());

  it('are aligned and called by the same steps', async (context) => {
    if (!longhaul) return context.skip('apt-get cannot fetch the package bowtie2-examples on this machine');
    await longhaul.put('data/bowtie2/reference/lambda_virus.fa.gz', await readFile(join(LAMBDA, 'lambda_virus.fa.gz')));
    for (const script of ['align.py', 'call.py']) {
      await longhaul.put(`data/lambda/pipeline/${script}`, await readFile(join(LAMBDA, 'pipeline', script)));
    }
    await longhaul.put('data/bowtie2/reads/reads_1.fq.gz', reads[0] ?? '');
    await longhaul.put('data/bowtie2/reads/reads_2.fq.gz', reads[1] ?? '');
    const text = await readFile(join(LAMBDA, 'bowtie2.yaml'), 'utf8');
    await longhaul.put('sheets/demo/bowtie2.yaml', `launchId: bowtie2-1\n${text}`);

    const { status, error } = await longhaul.follow('bowtie2-1');

    expect(error).toBeUndefined();
    expect(status).toBe('COMPLETE');
    const outputs = await launchOutputs(longhaul.aws.s3, 'longhaul', 'bowtie2-1');
    const vcf = outputs.find(({ path }) => path.endsWith('.vcf.gz'));
    const { readObject } = await import('../../lib/s3-objects.ts');
    const { bytes } = await readObject(longhaul.aws.s3, vcf?.address ?? '', { limit: 10_000_000 });
    const calls = gunzipSync(bytes)
      .toString('utf8')
      .split('\n')
      .filter((line) => line && !line.startsWith('#'));
    expect(calls.length).toBeGreaterThan(20);
  });
});

/** The package's two files of reads, or nothing where apt or the package is out of reach. */
async function fetchReads(): Promise<Buffer[]> {
  if (!existsSync('/usr/bin/apt-get')) return [];
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-bowtie2-'));
  try {
    const quiet = { cwd: folder, stdio: 'ignore', timeout: 120_000 } as const;
    try {
      execFileSync('apt-get', ['download', 'bowtie2-examples'], quiet);
    } catch {
      execFileSync('apt-get', ['update'], quiet);
      execFileSync('apt-get', ['download', 'bowtie2-examples'], quiet);
    }
    execFileSync('/bin/sh', ['-c', 'dpkg-deb -x bowtie2-examples_*.deb .'], quiet);
    const found = execFileSync('find', ['.', '-name', 'reads_[12].fq*'], { cwd: folder, encoding: 'utf8' })
      .trim()
      .split('\n')
      .toSorted();
    return await Promise.all(found.map((name) => readFile(join(folder, name))));
  } catch {
    return [];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

it('npm run demo -- --story --once --json tells one story from its prompt to the page its mail links to', async () => {
  const state = await mkdtemp(join(tmpdir(), 'longhaul-demo-'));
  const env: NodeJS.ProcessEnv = { ...process.env, XDG_STATE_HOME: state };
  for (const name of ['TEMPORAL_ADDRESS', 'AWS_ENDPOINT_URL']) delete env[name];
  try {
    const stdout = execFileSync(
      process.execPath,
      [join(packageRoot(), 'dist/demo.js'), '--story', '--once', '--json'],
      {
        env,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;

    expect(result).toMatchObject({
      storyId: expect.stringMatching(/^demo\/[0-9a-f-]{36}$/),
      title: expect.stringMatching(/\S/),
      image: { state: 'READY', mediaType: 'image/png' },
      audio: { state: 'READY' },
      notified: true,
      pageUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/stories\/demo\/[0-9a-f-]{36}\?t=/),
    });
    expect(result.words).toBeGreaterThanOrEqual(200);
    // Numbers and dashes apart, every word is marked; those of the title are among them.
    expect(result.marks).toBeGreaterThan(Number(result.words) * 0.9);
    expect(result.epub).toBeGreaterThan(50_000);
    expect((result.audio as { seconds: number }).seconds).toBeGreaterThan(30);
    expect(result.branchStartSpreadMs).toBeGreaterThanOrEqual(0);
  } finally {
    await rm(state, { recursive: true, force: true });
  }
});
