/**
 * How well a story's branches run side by side, on the whole embedded platform, by the server's own clock in the histories:
 * how far apart picture, voice, mail and event begin, and what the whole takes beside its text and its slowest branch.
 *
 *   npm run bench -- story [--stories 10] [--picture-ms 5000] [--json]
 *
 * `--picture-ms`: how long OpenAI's stand-in takes for a picture, on top of drawing it; the real one takes several seconds.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { addFamily } from '../../clients/story/families.ts';
import { startStory } from '../../clients/story/start.ts';
import { startLonghaul } from '../../infra/local/longhaul.ts';
import { createAwsClients } from '../../lib/aws-clients.ts';
import { readSettings } from '../../lib/settings.ts';
import { FamilyStore } from '../../lib/store/families.ts';
import { StoryStore } from '../../lib/store/stories.ts';
import { tableNames } from '../../lib/store/tables.ts';
import { connectTemporal } from '../../lib/temporal/client.ts';
import { option, percentile, report } from './report.ts';

const FAMILY = 'bench';
const BRANCHES = ['drawPicture', 'speakStory', 'notifyFamily', 'announceStory'];

const stories = Number(option('stories') ?? 10);
const pictureMs = Number(option('picture-ms') ?? 5_000);

interface Told {
  spreadMs: number;
  textMs: number;
  slowestMs: number;
  totalMs: number;
  /** Of the branches, one after the other. */
  branchesMs: number;
}

const directory = await mkdtemp(join(tmpdir(), 'longhaul-bench-'));
const platform = await startLonghaul({
  name: 'bench',
  stateDirectory: join(directory, 'state'),
  ports: { temporal: 0, temporalUi: 0, aws: 0, dynamodb: 0, openai: 0, gateway: 0 },
  withoutGenomics: true,
  signals: false,
});
try {
  Object.assign(process.env, platform.environment);
  const told = await tellAll();
  const of = (pick: (one: Told) => number) => told.map(pick);
  const share = of(({ totalMs, textMs, slowestMs }) => (totalMs - textMs) / slowestMs);
  report({
    stories,
    pictureMs,
    branchStartSpreadMs: {
      p50: percentile(
        of(({ spreadMs }) => spreadMs),
        0.5,
      ),
      most: percentile(
        of(({ spreadMs }) => spreadMs),
        1,
      ),
    },
    textMs: percentile(
      of(({ textMs }) => textMs),
      0.5,
    ),
    slowestBranchMs: percentile(
      of(({ slowestMs }) => slowestMs),
      0.5,
    ),
    totalMs: percentile(
      of(({ totalMs }) => totalMs),
      0.5,
    ),
    // (whole - text) / slowest branch
    ratio: Math.round(1_000 * (share.toSorted((a, b) => a - b)[Math.floor(share.length / 2)] ?? Number.NaN)) / 1_000,
    // The same if the branches ran one after the other: the baseline.
    sequentialRatio:
      Math.round(
        1_000 *
          percentile(
            of(({ branchesMs, slowestMs }) => branchesMs / slowestMs),
            0.5,
          ),
      ) / 1_000,
  });
} finally {
  await platform.stop();
  await rm(directory, { recursive: true, force: true });
}
process.exit(0);

async function tellAll(): Promise<Told[]> {
  const settings = readSettings(process.env);
  const { dynamodb, sns, polly } = createAwsClients();
  const { client } = await connectTemporal(settings);
  const tables = tableNames(settings.tablePrefix);
  const world = {
    client,
    settings,
    sns,
    polly,
    families: new FamilyStore(dynamodb, tables),
    stories: new StoryStore(dynamodb, tables),
  };
  await addFamily(world, FAMILY, { timeZone: 'UTC', monthLimitUsd: '1000' }, Date.now());
  const told: Told[] = [];
  // The first warms everything up and does not count.
  for (let place = 0; place <= stories; place += 1) {
    await slowPictures();
    const { workflowId } = await startStory(world, FAMILY, undefined, Date.now());
    await client.workflow.getHandle(workflowId).result();
    if (place > 0) told.push(await timesOf(client, workflowId));
  }
  return told;
}

async function slowPictures(): Promise<void> {
  if (pictureMs === 0) return;
  const answer = await fetch(`${platform.urls.openai}/_longhaul/openai-behaviour`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ queue: [{ operation: 'createImage', does: 'slow', ms: pictureMs }] }),
  });
  if (!answer.ok) throw new Error(`OpenAI's stand-in cannot be slowed down: ${answer.status} ${await answer.text()}`);
}

/** From one history. A branch counts from when it was scheduled: waiting for a worker is part of it. */
async function timesOf(client: Client, workflowId: string): Promise<Told> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const at = (event: { eventTime?: { seconds?: unknown; nanos?: number | null } | null }): number =>
    Number(event.eventTime?.seconds) * 1_000 + (event.eventTime?.nanos ?? 0) / 1e6;
  const activities = new Map<string, { name: string; scheduled: number; started: number; ended: number }>();
  for (const event of events ?? []) {
    const name = event.activityTaskScheduledEventAttributes?.activityType?.name;
    if (name)
      activities.set(String(event.eventId), { name, scheduled: at(event), started: Number.NaN, ended: Number.NaN });
    const { scheduledEventId: begun } = event.activityTaskStartedEventAttributes ?? {};
    const { scheduledEventId: done } = event.activityTaskCompletedEventAttributes ?? {};
    const started = activities.get(String(begun));
    const ended = activities.get(String(done));
    if (started) started.started = at(event);
    if (ended) ended.ended = at(event);
  }
  const all = [...activities.values()];
  const branches = all.filter(({ name }) => BRANCHES.includes(name));
  if (branches.length !== BRANCHES.length) throw new Error(`${workflowId} has ${branches.length} branches`);
  const [first, last] = [events?.at(0), events?.at(-1)];
  const text = all.findLast(({ name }) => name === 'writeText');
  if (!first || !last || !text) throw new Error(`${workflowId} has no whole history`);
  const lengths = branches.map(({ scheduled, ended }) => ended - scheduled);
  const starts = branches.map(({ started }) => started);
  return {
    spreadMs: Math.max(...starts) - Math.min(...starts),
    textMs: text.ended - at(first),
    slowestMs: Math.max(...lengths),
    totalMs: at(last) - at(first),
    branchesMs: lengths.reduce((sum, length) => sum + length, 0),
  };
}
