/**
 * Longhaul on the embedded platform: the servers, what CDK would have made, the workers and the event consumer.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { readSettings } from '../../lib/settings.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/launch/model.ts';
import { LOCAL_PLACE } from './aws/ports.ts';
import { bootstrap } from './bootstrap.ts';
import { type Platform, type PlatformOptions, startPlatform, stateDirectoryOf } from './platform/index.ts';
import { packageRoot } from './platform/root.ts';
import { httpStatus } from './platform/services.ts';
import { silent, tools } from './tools/index.ts';

/** The image of the genomics tools in the examples: on this machine a Python environment with mappy and pysam. */
const GENOMICS_IMAGE = 'longhaul/genomics:1';
/** Images of the workflow engines: Snakemake's also has the genomics tools. */
const ENGINE_IMAGES = {
  snakemake: 'longhaul/snakemake:9',
  cwltool: 'longhaul/cwltool:3',
  miniwdl: 'longhaul/miniwdl:1',
  nextflow: 'longhaul/nextflow:24',
} as const;
export type EngineName = keyof typeof ENGINE_IMAGES;
/** Roles that bootstrap makes; jobs run as local processes and get none of their permissions. */
const ROLES = { LONGHAUL_JOB_ROLE: 'longhaul-jobs', LONGHAUL_EXECUTION_ROLE: 'longhaul-execution' } as const;
/** At home a lost event should cost a moment, and nobody counts the calls. */
const POLL_SECONDS = '2';
/** Restores take hours here too, unless somebody lets their time run faster. */
const RESTORE_POLL_SECONDS = '5';

export interface LonghaulOptions
  extends Pick<PlatformOptions, 'name' | 'stateDirectory' | 'ports' | 'progress' | 'signals'> {
  /** Settings of workers and event consumer, by their variables; over the caller's own. */
  environment?: Readonly<Record<string, string>>;
  /** Leave the genomics tools out: tests that do not need them start faster on a bare machine. */
  withoutGenomics?: boolean;
  /** Workflow engines whose images there are to be; each is fetched at its first use. */
  engines?: readonly EngineName[];
}

/** Starts everything, or returns the running platform of that name. */
export async function startLonghaul(options: LonghaulOptions = {}): Promise<Platform> {
  const name = options.name ?? 'default';
  const stateDirectory = options.stateDirectory ?? stateDirectoryOf(name);
  const own = {
    LONGHAUL_POLL_SECONDS: POLL_SECONDS,
    LONGHAUL_RESTORE_POLL_SECONDS: RESTORE_POLL_SECONDS,
    LONGHAUL_COMPUTE_SERVICE: 'batch',
    ...options.environment,
  };
  const roleSettings = Object.fromEntries(
    Object.entries(ROLES).map(([name, role]) => [name, `arn:aws:iam::${LOCAL_PLACE.accountId}:role/${role}`]),
  );
  const settings = readSettings({ ...process.env, ...own });
  const imagesFile = join(stateDirectory, 'images.json');
  const makeImages = async () => {
    const genomics = options.withoutGenomics ? undefined : await tools.genomics(options.progress ?? silent);
    const engines = await Promise.all(
      (options.engines ?? []).map(async (engine) => {
        const { bin } = await tools[engine](options.progress ?? silent);
        return [ENGINE_IMAGES[engine], { path: [bin] }] as const;
      }),
    );
    await writeImages(imagesFile, {
      [settings.jobImage]: { entrypoint: [process.execPath, join(packageRoot(), 'dist', 'jobs.cjs')] },
      ...(genomics && { [GENOMICS_IMAGE]: { path: [genomics.bin] } }),
      ...Object.fromEntries(engines),
    });
  };
  return startPlatform({
    ...options,
    name,
    stateDirectory,
    imagesFile,
    searchAttributes: SEARCH_ATTRIBUTES,
    // The registry of the stand-ins is behind the same door; the command line has to know it too.
    variables: ({ awsUrl, ports, temporalUi }) => ({
      LONGHAUL_IMAGE_REGISTRY: awsUrl,
      ...roleSettings,
      LONGHAUL_GATEWAY_URL: `http://127.0.0.1:${ports.gateway}`,
      LONGHAUL_GATEWAY_PORT: String(ports.gateway),
      LONGHAUL_GATEWAY_KEY: process.env.LONGHAUL_GATEWAY_KEY || randomBytes(32).toString('base64url'),
      LONGHAUL_STORY_URL: `http://127.0.0.1:${ports.gateway}`,
      LONGHAUL_STORY_LINK_KEY:
        process.env.LONGHAUL_STORY_LINK_KEY || lastingKey(join(stateDirectory, 'story-link.key')),
      ...(temporalUi && { TEMPORAL_UI_URL: temporalUi }),
    }),
    prepare: async (environment) => {
      await Promise.all([
        makeImages(),
        bootstrap({
          endpoint: environment.AWS_ENDPOINT_URL,
          region: LOCAL_PLACE.region,
          credentials: {
            accessKeyId: environment.AWS_ACCESS_KEY_ID,
            secretAccessKey: environment.AWS_SECRET_ACCESS_KEY,
          },
          settings,
          maxVcpus: availableParallelism() * 8,
          roles: Object.values(ROLES),
        }),
      ]);
    },
    processes: [
      { name: 'worker', entry: 'worker', env: own },
      { name: 'events', entry: 'events', env: own },
      {
        name: 'gateway',
        entry: 'gateway',
        env: own,
        ready: async ({ LONGHAUL_GATEWAY_URL: url }) => (await httpStatus(`${url}/api/v1/health`)) === 200,
      },
    ],
  });
}

/** A secret of this platform that a restart does not change: links signed with it go on being valid. */
function lastingKey(file: string): string {
  const kept = existsSync(file) ? readFileSync(file, 'utf8') : '';
  // One that is cut short by a crash is no key.
  if (kept.length === 43) return kept;
  const made = randomBytes(32).toString('base64url');
  writeFileSync(file, made, { mode: 0o600 });
  return made;
}

/** Adds to the images of this machine; those a person has added stay. */
async function writeImages(file: string, images: Record<string, unknown>): Promise<void> {
  const known = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>) : {};
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, `${JSON.stringify({ ...known, ...images }, undefined, 2)}\n`);
  await rename(`${file}.new`, file);
}
