/**
 * The report of a job: one file of the tasks that succeeded, one of those that failed, and a manifest.json that names
 * them.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { ObjectPort } from '../ports.ts';
import { placeOf } from './input.ts';
import type { Task } from './manifest.ts';
import type { Job, TaskFailure } from './model.ts';

/** @throws AwsError when S3 does not take it */
export function writeReport(
  objects: ObjectPort,
  job: Job,
  tasks: readonly Task[],
  failures: readonly TaskFailure[],
  at: Date,
): void {
  const { report } = job;
  const run = tasks.slice(0, job.succeeded + job.failed);
  // A job that has run no task has nothing to report.
  if (!report || run.length === 0) return;
  const { bucket } = placeOf(report.bucketArn);
  const folder = `${report.prefix ? `${report.prefix}/` : ''}job-${job.id}`;
  const failed = new Map(failures.map((failure) => [failure.index, failure]));
  const rows = { succeeded: [] as string[], failed: [] as string[] };
  run.forEach((task, index) => {
    const failure = failed.get(index);
    if (failure) rows.failed.push(row(task, 'failed', failure.status, failure.code, failure.message));
    else if (report.scope === 'AllTasks') rows.succeeded.push(row(task, 'succeeded', 200, '', 'Successful'));
  });
  const results = (['succeeded', 'failed'] as const).flatMap((status) => {
    if (rows[status].length === 0) return [];
    const bytes = Buffer.from(rows[status].join(''));
    const name = createHash('sha1').update(`${job.id}/${status}`).digest('hex');
    const key = `${folder}/results/${name}.csv`;
    objects.write(bucket, key, { bytes, contentType: 'text/csv' });
    const MD5Checksum = createHash('md5').update(bytes).digest('hex');
    return [{ TaskExecutionStatus: status, Bucket: bucket, MD5Checksum, Key: key }];
  });
  const manifest = {
    Format: 'Report_CSV_20180820',
    ReportCreationDate: at.toISOString(),
    Results: results,
    ReportSchema: 'Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage',
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  objects.write(bucket, `${folder}/manifest.json`, { bytes, contentType: 'application/json' });
}

/** The rows AWS shows have the HTTP status before the code, whatever the schema in manifest.json says. */
function row(task: Task, taskStatus: string, status: number, code: string, message: string): string {
  const { bucket, encodedKey, versionId = '' } = task;
  return `${[bucket, encodedKey, versionId, taskStatus, String(status), code, message].map(quoted).join(',')}\n`;
}

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
