/**
 * Sheets before they are launched: checked, planned, exported, put where sheets lie. The same for the command line and for
 * the gateway.
 *
 * @module
 */
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { stringify } from 'yaml';
import type { AwsClients } from '../../lib/aws-clients.ts';
import { discover } from '../../lib/launch/discover.ts';
import { createPreflightClients } from '../../lib/launch/preflight/clients.ts';
import { preflight } from '../../lib/launch/preflight/index.ts';
import { parseS3Address } from '../../lib/s3-address.ts';
import type { Settings } from '../../lib/settings.ts';
import { CACHE_METADATA } from '../../workflows/launch/places.ts';
import { type Plan, planSteps } from '../../workflows/launch/plan.ts';
import { planLaunch } from '../../workflows/launch/plan-launch.ts';
import type { Preflight } from '../../workflows/launch/preflight.ts';
import { type ParsedSheet, parseSheet, withLine } from '../../workflows/launch/sheet/parse.ts';
import { type Problem, SheetError } from '../../workflows/launch/sheet/problems.ts';
import type { Sheet, StepsSheet } from '../../workflows/launch/sheet/sheet.ts';
import { toSnakemake } from '../../workflows/launch/types/snakefile.ts';
import type { SheetInS3 } from './start.ts';

const looksUp = (sheet: Sheet): boolean => Object.values(sheet.scatter ?? {}).some((source) => !Array.isArray(source));

function planOrThrow(
  planned: { plan: Plan } | { problems: Problem[] },
  file: string,
  lineOf: ParsedSheet['lineOf'],
): Plan {
  if ('plan' in planned) return planned.plan;
  throw new SheetError(
    file,
    planned.problems.map((problem) => withLine(problem, lineOf)),
  );
}

/**
 * What can be known without looking at data is said before anything is uploaded.
 * @param file what the user knows the sheet by
 * @throws SheetError
 */
export function checkSheet(text: string, file: string): ParsedSheet {
  const parsed = parseSheet(text, file);
  const { sheet, lineOf } = parsed;
  if (looksUp(sheet)) return parsed;
  const planned = planLaunch(sheet, {
    launchId: sheet.launchId ?? 'unnamed',
    attempt: 1,
    computeService: 'batch',
    defaultResultsPath: 's3://unnamed/',
    discovered: {},
  });
  planOrThrow(planned, file, lineOf);
  return parsed;
}

/**
 * As the launch is planned by a worker, with what `discover` finds now.
 * @param computeService instead of the sheet's
 * @throws SheetError
 */
export async function planSheet(
  { settings, s3 }: { settings: Pick<Settings, 'bucket' | 'computeService'>; s3: S3Client },
  text: string,
  file: string,
  computeService?: string,
): Promise<{ parsed: ParsedSheet; plan: Plan }> {
  const parsed = parseSheet(text, file);
  const { sheet, lineOf } = parsed;
  const planned = planLaunch(sheet, {
    launchId: sheet.launchId ?? 'unnamed',
    attempt: 1,
    computeService: computeService ?? sheet.computeService ?? settings.computeService,
    defaultResultsPath: `s3://${settings.bucket}/results/${sheet.consumer}/`,
    discovered: await discover(s3, sheet, () => {}),
  });
  return { parsed, plan: planOrThrow(planned, file, lineOf) };
}

/** Everything that is checked before a launch, inputs too. Changes nothing. */
export async function preflightPlan(
  { settings, aws }: { settings: Settings; aws: Pick<AwsClients, 's3' | 'batch'> },
  plan: Plan,
): Promise<Preflight> {
  const clients = createPreflightClients(settings);
  try {
    return await preflight(plan, { s3: aws.s3, batch: aws.batch, ...clients, settings }, { inputs: true });
  } finally {
    clients.destroy();
  }
}

export const hasSteps = (sheet: Sheet): sheet is StepsSheet => sheet.steps !== undefined;

/**
 * The steps of a sheet for Snakemake 9.
 * @param data folder below which the files of `dataPath` lie when Snakemake runs
 * @throws SheetError
 */
export async function exportSnakefile(
  { sheet, lineOf }: { sheet: StepsSheet; lineOf: ParsedSheet['lineOf'] },
  file: string,
  data: string,
  find: (sheet: Sheet) => Promise<Record<string, string[]>>,
): Promise<{ snakefile: string; config: string }> {
  const planned = planSteps(sheet, {
    launchId: sheet.launchId ?? 'exported',
    attempt: 1,
    computeService: sheet.computeService ?? 'batch',
    defaultResultsPath: sheet.dataPath,
    discovered: looksUp(sheet) ? await find(sheet) : {},
  });
  const { snakefile, config } = toSnakemake(planOrThrow(planned, file, lineOf), { data });
  return { snakefile, config: stringify(config) };
}

/** Puts a sheet in its place. What lies below `sheets/` starts its launch by itself, so all of its wishes go with it. */
export async function putSheet(
  s3: S3Client,
  address: string,
  bytes: Buffer,
  options: { cache: boolean },
): Promise<SheetInS3> {
  const { bucket, key } = parseS3Address(address);
  const stored = await s3.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: bytes,
      ContentType: 'application/yaml',
      ...(!options.cache && { Metadata: { [CACHE_METADATA]: 'off' } }),
    }),
  );
  return { address, bytes, etag: stored.ETag ?? '', ...(stored.VersionId && { version: stored.VersionId }) };
}
