/**
 * Starting a launch from a sheet: which id it gets, and that what was launched is not launched again.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { Client, WorkflowStartOptions } from '@temporalio/client';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { launchIdFor, type SheetInS3, startLaunch } from '../../clients/launch/start.ts';
import type { LaunchItem, LaunchStore } from '../../lib/store/launches.ts';
import { LAUNCH_ID_PATTERN, LAUNCH_STATUSES } from '../../workflows/launch/model.ts';

const sheet = (text: string, more: Partial<SheetInS3> = {}): SheetInS3 => ({
  address: 's3://longhaul/sheets/lab-a/x.yaml',
  bytes: Buffer.from(text),
  etag: '"abc"',
  ...more,
});

describe('the id of a launch', () => {
  it('is the one its sheet gives', () => expect(launchIdFor(sheet('launchId: run-1\n'))).toBe('run-1'));

  it('is derived, and fit for every name, when the sheet gives none or a malformed one', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(launchIdFor(sheet(text))).toMatch(LAUNCH_ID_PATTERN);
      }),
    );
    expect(launchIdFor(sheet('launchId: "../run"\n'))).toMatch(/^sheet-[0-9a-f]{20}$/);
  });

  it('derived, depends on place and version, and on the content only without a version', () => {
    const base = sheet('a: 1\n');
    const ids = [
      base,
      sheet('a: 1\n', { address: 's3://longhaul/sheets/lab-a/y.yaml' }),
      sheet('a: 1\n', { etag: '"def"' }),
      sheet('a: 1\n', { version: 'v1' }),
      sheet('a: 1\n', { version: 'v2' }),
    ].map(launchIdFor);
    expect(new Set(ids).size).toBe(ids.length);
    expect(launchIdFor(sheet('a: 1\n'))).toBe(ids[0]);
    expect(launchIdFor(sheet('a: 1\n', { version: 'v1', etag: '"def"' }))).toBe(ids[3]);
  });
});

describe('starting', () => {
  let starts: { type: string; options: WorkflowStartOptions }[];
  let known: Map<string, Partial<LaunchItem>>;
  const start = (given: SheetInS3, options = {}) =>
    startLaunch(
      {
        client: {
          workflow: {
            start: async (type: string, options: WorkflowStartOptions) => {
              starts.push({ type, options });
            },
          },
        } as unknown as Client,
        launches: { get: async (id: string) => known.get(id) } as unknown as LaunchStore,
      },
      given,
      options,
    );
  const digest = (text: string) => createHash('sha256').update(text).digest('hex');

  beforeEach(() => {
    starts = [];
    known = new Map();
  });

  it('hands the workflow references only, under an id that makes a second start the same', async () => {
    const text = 'launchId: run-1\nparameters: { token: hunter2canary }\n';
    const started = await start(sheet(text, { version: 'v7' }), { computeService: 'batch' });
    expect(started).toEqual({ outcome: 'started', launchId: 'run-1', workflowId: 'launch/run-1', status: 'PREPARING' });
    expect(starts).toHaveLength(1);
    const { type, options } = starts[0] ?? {};
    expect(type).toBe('launch');
    expect(options).toMatchObject({
      workflowId: 'launch/run-1',
      taskQueue: 'longhaul',
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: [
        {
          launchId: 'run-1',
          configurationFile: 's3://longhaul/sheets/lab-a/x.yaml',
          configurationFileVersion: 'v7',
          computeService: 'batch',
        },
      ],
    });
    expect(JSON.stringify(starts)).not.toContain('hunter2canary');
  });

  it.each(LAUNCH_STATUSES)('does nothing when the same sheet is known as %s', async (status) => {
    known.set('run-1', { status, sheet_digest: digest('launchId: run-1\n') });
    const started = await start(sheet('launchId: run-1\n'));
    const ended = ['COMPLETE', 'FAILED', 'CANCELLED'].includes(status);
    expect(started).toMatchObject({ outcome: ended ? 'existing' : 'running', status });
    expect(starts).toEqual([]);
  });

  it('refuses another sheet under a known id, and says which one has it', async () => {
    known.set('run-1', { status: 'COMPLETE', sheet_digest: digest('other'), configuration_file: 's3://l/other.yaml' });
    const started = await start(sheet('launchId: run-1\n'));
    expect(started).toMatchObject({ outcome: 'conflict', configurationFile: 's3://l/other.yaml', status: 'COMPLETE' });
    expect(starts).toEqual([]);
  });
});
