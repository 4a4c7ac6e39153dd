/**
 * Limits of AWS Batch that a step can run into, told before SubmitJob tells them
 * (docs.aws.amazon.com/batch/latest/userguide/service_limits.html, and the API reference of SubmitJob). Pure logic.
 *
 * @module
 */
import {
  expandArgv,
  expandEnvironment,
  expandPath,
  type Source,
  type Sources,
} from '../../../workflows/launch/manifest.ts';
import { formatSubmission, JOB_ENVIRONMENT, workflowIdOf } from '../../../workflows/launch/model.ts';
import { stepState } from '../../../workflows/launch/places.ts';
import {
  type Plan,
  type PlannedInput,
  type PlannedStep,
  type StepItem,
  upstreamItems,
} from '../../../workflows/launch/plan.ts';
import type { Finding } from '../../../workflows/launch/preflight.ts';
import { submission } from '../batch-submission.ts';
import { jobName } from '../job-name.ts';

/** Children of an array job, besides a job that is no array. */
const MOST_ITEMS = 10_000;
/** Bytes of one SubmitJob: 30 KiB. */
const PAYLOAD_BYTES = 30 * 1024;
/** How often a job may be tried, the first time included. */
const MOST_ATTEMPTS = 10;
/** Seconds. */
const LEAST_TIMEOUT = 60;
/** Tags of a job, and the characters of each. */
const TAGS = { most: 50, key: 128, value: 256, signs: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u };
/** The longest row number a manifest of 10,000 items has by far. */
const ROW_BYTES = '1000000';
const JOB_DEFINITION = 'longhaul-0123456789abcdef';

/** @param place where the launch's state lies and which queue its jobs go to: both are part of what is sent */
export function checkLimits(plan: Plan, place: { bucket: string; batchQueue: string }): Finding[] {
  return plan.steps.flatMap((step) => checkStep(plan, step, place));
}

function checkStep(plan: Plan, step: PlannedStep, place: { bucket: string; batchQueue: string }): Finding[] {
  const findings: Finding[] = [];
  const error = (field: string, message: string, remedy: string) =>
    findings.push({ level: 'error', check: 'limits', at: `steps.${step.name}.${field}`, message, remedy });
  if (step.items < 1 || step.items > MOST_ITEMS) {
    error(
      'scatter',
      `${number(step.items)} items; an array job has 2 to ${number(MOST_ITEMS)}, and a step without an array 1`,
      step.items < 1 ? 'give its dimensions items' : 'split the sheet, or let a job do several items',
    );
    // Without an item, or with far too many, there is nothing to measure.
    return findings;
  }
  const { hostLoss } = step.retries;
  if (!Number.isInteger(hostLoss) || hostLoss < 0 || hostLoss + 1 > MOST_ATTEMPTS) {
    error(
      'retries.hostLoss',
      `${hostLoss} retries; AWS Batch makes 1 to ${MOST_ATTEMPTS} attempts`,
      'ask for 0 to 9 retries',
    );
  }
  if (step.timeoutSeconds !== undefined && step.timeoutSeconds < LEAST_TIMEOUT) {
    error(
      'timeoutSeconds',
      `${step.timeoutSeconds} seconds; AWS Batch wants at least ${LEAST_TIMEOUT}`,
      'give it longer',
    );
  }
  const request = jobRequest(plan, step, place.bucket);
  checkEnvironment(request.environment, error);
  checkTags(request.tags, error);
  const sent = JSON.stringify(submission(request, { queue: place.batchQueue, jobDefinition: JOB_DEFINITION }));
  const bytes = Buffer.byteLength(sent);
  if (bytes > PAYLOAD_BYTES) {
    const words = Buffer.byteLength(JSON.stringify(request.argv));
    const variables = Buffer.byteLength(JSON.stringify(request.environment));
    const byArgv = words >= variables;
    error(
      byArgv ? 'argv' : 'environment',
      `the job is ${number(bytes)} bytes to submit (argv ${number(words)}, environment ${number(variables)}); AWS Batch takes ${number(PAYLOAD_BYTES)}`,
      byArgv
        ? 'use command instead of argv: the script is handed over in a file'
        : 'put large values into a file and make it an input',
    );
  }
  return findings;
}

type Report = (field: string, message: string, remedy: string) => void;

function checkEnvironment(environment: Readonly<Record<string, string>>, error: Report): void {
  for (const [name, value] of Object.entries(environment)) {
    const at = `environment.${name}`;
    if (!/^[^=\0]+$/.test(name) || name.startsWith('AWS_BATCH')) {
      error(at, 'this name cannot be a variable of a job', 'begin it with another word than AWS_BATCH, and without =');
    }
    if (value.includes('\0')) error(at, 'the value has a NUL, which no variable can have', 'leave it out');
  }
}

function checkTags(tags: Readonly<Record<string, string>>, error: Report): void {
  const entries = Object.entries(tags);
  if (entries.length > TAGS.most) {
    error('tags', `${entries.length} tags; a job has at most ${TAGS.most}`, 'leave some out');
  }
  for (const [key, value] of entries) {
    if (key.length < 1 || key.length > TAGS.key || value.length > TAGS.value || /^aws:/i.test(key)) {
      error(
        'tags',
        `the tag ${key.slice(0, 40)} cannot be set: a key has 1 to ${TAGS.key} characters and does not begin with aws:, a value has up to ${TAGS.value}`,
        'shorten or rename it',
      );
    } else if (!TAGS.signs.test(key) || !TAGS.signs.test(value)) {
      error(
        'tags',
        `the tag ${key} has a character that tags cannot have`,
        'use letters, digits, spaces and _ . : / = + - @',
      );
    }
  }
}

/**
 * The job as `submitStep` sends it the first time. Of an input whose files are not known yet, a pattern, one file is
 * counted, so the true size may be larger; it is never smaller.
 */
function jobRequest(plan: Plan, step: PlannedStep, bucket: string) {
  const { launchId, attempt } = plan;
  return {
    name: jobName({ launchId, step: step.name, attempt, generation: 1, shard: 0 }),
    items: step.items,
    argv:
      step.main.kind === 'argv'
        ? expandArgv(plan, step, step.main.argv, expectedSources(plan, step, firstItem(plan, step)))
        : ['/bin/sh', '/longhaul/work/command.sh'],
    vcpus: step.vcpus,
    memoryMiB: step.memoryMiB,
    ...(step.timeoutSeconds !== undefined && { timeoutSeconds: step.timeoutSeconds }),
    hostRetries: step.retries.hostLoss,
    environment: expandEnvironment(plan, step),
    contract: {
      [JOB_ENVIRONMENT.submission]: formatSubmission({
        workflowId: workflowIdOf(launchId),
        attempt,
        step: step.name,
        generation: 1,
        shard: 0,
      }),
      [JOB_ENVIRONMENT.manifest]: `${stepState(bucket, launchId, attempt, step.name)}1-0.jsonl`,
      [JOB_ENVIRONMENT.rowBytes]: ROW_BYTES,
    },
    ...(plan.sharedFileSystem && { sharedFileSystem: plan.sharedFileSystem }),
    tags: { 'longhaul:launch': launchId, 'longhaul:step': step.name, 'longhaul:consumer': plan.consumer },
  };
}

/** One argv serves all items, so the first speaks for them; not `itemsOf`, which would make all of them. */
function firstItem(plan: Plan, step: PlannedStep): StepItem {
  const values = step.dimensions.flatMap((dimension) => {
    const value = plan.dimensions[dimension]?.[0];
    return value ? [[dimension, value] as const] : [];
  });
  return { key: values.map(([, { name }]) => name).join(',') || 'all', values: Object.fromEntries(values) };
}

function expectedSources(plan: Plan, step: PlannedStep, item: StepItem): Sources {
  return Object.fromEntries(step.inputs.map((input) => [input.name, expectedFiles(plan, step, item, input)]));
}

function expectedFiles(plan: Plan, step: PlannedStep, item: StepItem, input: PlannedInput): Source[] {
  if (input.kind === 'path') return [{ from: '', name: baseName(expandPath(plan, step, item, input.path)) }];
  if (input.kind === 'tree') return [];
  const upstream = plan.steps.find(({ name }) => name === input.step);
  const output = upstream?.outputs.find(({ name }) => name === input.output)?.path ?? '';
  if (!upstream) return [];
  return upstreamItems(plan, item, upstream).map((from) => ({
    from: '',
    // Files of different items may have the same name, so each lies in a folder of its item.
    name: `${input.gather ? `${from.key}/` : ''}${baseName(expandPath(plan, upstream, from, output))}`,
  }));
}

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const number = (value: number): string => value.toLocaleString('en-US');
