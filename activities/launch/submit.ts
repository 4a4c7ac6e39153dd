/**
 * Submitting a step: its manifest goes to S3, its job to the compute service, its row to the registry. Every part can
 * be repeated: the manifest is the same again, the job is found by its name, the row is fenced.
 *
 * @module
 */
import { ApplicationFailure, heartbeat, log } from '@temporalio/activity';
import type { Commit } from '../../jobs/commit.ts';
import { resolveS3Address } from '../../lib/s3-address.ts';
import { putText, readObject } from '../../lib/s3-objects.ts';
import { listMatches } from '../../lib/s3-patterns.ts';
import { type StepItem as StepRow, stepKey } from '../../lib/store/steps.ts';
import {
  commitAddress,
  encodeManifest,
  expandArgv,
  expandEnvironment,
  expandPath,
  manifestRow,
  type Source,
  type Sources,
} from '../../workflows/launch/manifest.ts';
import { formatSubmission, JOB_ENVIRONMENT } from '../../workflows/launch/model.ts';
import { hasWildcard } from '../../workflows/launch/patterns.ts';
import { attemptState, launchState } from '../../workflows/launch/places.ts';
import {
  itemsOf,
  type Plan,
  type PlannedInput,
  type PlannedStep,
  type StepItem,
  upstreamItems,
} from '../../workflows/launch/plan.ts';
import { placeOf } from '../../workflows/poller/model.ts';
import type { Job } from './compute/service.ts';
import { type LaunchDependencies } from './dependencies.ts';
import { readPlan } from './plan-reader.ts';

export interface SubmitInput {
  launchId: string;
  attempt: number;
  workflowId: string;
  planAddress: string;
  step: string;
  generation: number;
  /** Milliseconds since the epoch, by the workflow. */
  at: number;
}

/** A commit lists the files of one item; far above what a sane step puts out. */
const COMMIT_LIMIT = 64 * 1024 * 1024;

export function createSubmitActivities(dependencies: LaunchDependencies) {
  const { s3, steps, compute, settings, wakePoller } = dependencies;
  return {
    /**
     * @returns the job's id
     * @throws JobRejectedError when the compute service refuses the job for good
     */
    async submitStep(input: SubmitInput): Promise<{ jobId: string }> {
      const { plan, step } = await readPlan(s3, input.planAddress, input.step);
      const service = compute.get(plan.computeService);
      if (!service)
        throw ApplicationFailure.nonRetryable(
          `this worker knows no compute service ${plan.computeService}`,
          'JobRejectedError',
        );
      const state = launchState(settings.bucket, input.launchId);
      const rows = [];
      let argv: string[] | undefined;
      for (const item of itemsOf(plan, step)) {
        heartbeat();
        const sources = await findSources(plan, step, item, state);
        rows.push(manifestRow(plan, step, item, sources, { launchState: state, generation: input.generation }));
        if (step.main.kind === 'argv') argv = sameArgv(step, argv, expandArgv(plan, step, step.main.argv, sources));
      }
      const { rowBytes, text } = encodeManifest(rows);
      const folder = attemptState(settings.bucket, input.launchId, input.attempt);
      const manifest = `${folder}steps/${step.name}/${input.generation}.jsonl`;
      await putText(s3, manifest, text, 'application/x-ndjson');
      const job = await service.submit({
        name: `lh-${input.launchId}-${step.name}-${input.attempt}-${input.generation}`,
        items: step.items,
        image: step.image,
        // The script of each item lies on its volume, so one command serves all children of an array.
        argv: argv ?? ['/bin/sh', '/longhaul/work/command.sh'],
        vcpus: step.vcpus,
        memoryMiB: step.memoryMiB,
        ...(step.timeoutSeconds !== undefined && { timeoutSeconds: step.timeoutSeconds }),
        retries: step.retries,
        environment: expandEnvironment(plan, step),
        contract: {
          [JOB_ENVIRONMENT.submission]: formatSubmission(input),
          [JOB_ENVIRONMENT.manifest]: manifest,
          [JOB_ENVIRONMENT.rowBytes]: String(rowBytes),
        },
        ...(plan.sharedFileSystem && { sharedFileSystem: plan.sharedFileSystem }),
        tags: { 'longhaul:launch': input.launchId, 'longhaul:step': step.name, 'longhaul:consumer': plan.consumer },
      });
      await steps.submitted(toRow(input, step, job));
      await wakePoller(job);
      log.info('step submitted', { launchId: input.launchId, step: step.name, jobId: job.id, items: step.items });
      return { jobId: job.id };
    },
  };

  async function findSources(plan: Plan, step: PlannedStep, item: StepItem, state: string): Promise<Sources> {
    const sources: Record<string, Source[]> = {};
    for (const input of step.inputs) {
      sources[input.name] =
        input.kind === 'path' ? await fromPath(plan, step, item, input) : await fromStep(plan, item, input, state);
    }
    return sources;
  }

  async function fromPath(
    plan: Plan,
    step: PlannedStep,
    item: StepItem,
    input: Extract<PlannedInput, { kind: 'path' }>,
  ): Promise<Source[]> {
    const path = expandPath(plan, step, item, input.path);
    if (plan.sharedFileSystem) {
      const root = plan.sharedFileSystem.root;
      return [{ from: `shared:${root === undefined ? '' : `${root}/`}${path}`, name: baseName(path) }];
    }
    if (!input.wildcard) return [{ from: resolveS3Address(plan.dataPath, path), name: baseName(path) }];
    const found: Source[] = [];
    for await (const { address, name } of listMatches(s3, plan.dataPath, path)) {
      heartbeat();
      found.push({ from: address, name });
    }
    return found;
  }

  async function fromStep(
    plan: Plan,
    item: StepItem,
    input: Extract<PlannedInput, { kind: 'from' }>,
    state: string,
  ): Promise<Source[]> {
    const upstream = plan.steps.find((candidate) => candidate.name === input.step) as PlannedStep;
    const output = upstream.outputs.find((candidate) => candidate.name === input.output)?.path ?? '';
    const sources: Source[] = [];
    for (const from of upstreamItems(plan, item, upstream)) {
      const commit = commitAddress(state, upstream.name, from.key);
      // Files of different items may have the same name.
      const folder = input.gather ? `${from.key}/` : '';
      if (!hasWildcard(output)) {
        // The name is known by now; where the file lies the job finds in the commit by itself.
        sources.push({
          from: `commit:${commit}#${input.output}`,
          name: `${folder}${baseName(expandPath(plan, upstream, from, output))}`,
        });
        continue;
      }
      heartbeat();
      const { bytes } = await readObject(s3, commit, { limit: COMMIT_LIMIT });
      const files = (JSON.parse(bytes.toString('utf8')) as Commit).outputs[input.output] ?? [];
      sources.push(...files.map((file) => ({ from: file.address, name: `${folder}${file.path}` })));
    }
    return sources;
  }

  function toRow(input: SubmitInput, step: PlannedStep, job: Job): StepRow {
    return {
      launch_id: input.launchId,
      step_key: stepKey(input.attempt, step.name),
      step: step.name,
      attempt: input.attempt,
      generation: input.generation,
      state: 'SUBMITTED',
      workflow_id: input.workflowId,
      job_id: job.id,
      job_name: job.name,
      job_queue: job.queue,
      open_in: placeOf(job),
      items: { total: step.items, running: 0, succeeded: 0, failed: 0 },
      image: step.image,
      vcpus: step.vcpus,
      memory_mib: step.memoryMiB,
      submitted_at: new Date(input.at).toISOString(),
      log_group: job.logGroup,
    };
  }
}

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

function sameArgv(step: PlannedStep, first: string[] | undefined, argv: string[]): string[] {
  if (first && JSON.stringify(first) !== JSON.stringify(argv)) {
    throw ApplicationFailure.nonRetryable(
      `steps.${step.name}.argv: differs between items (${first.join(' ')}; ${argv.join(' ')}), but an array job has one argv; use command`,
      'InvalidSheetError',
    );
  }
  return argv;
}
