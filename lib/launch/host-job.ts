/**
 * Jobs of services that start hosts for them: what a host is to run lies in S3, and so does the word that it shall not.
 * Written by the compute service, read by the job program's `host` too.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import { readJson, UnreadableObjectError } from '../s3-objects.ts';

export interface HostJob {
  /** Deterministic: the same submission has the same one. */
  id: string;
  name: string;
  items: number;
  /** Item i is host i % hosts's. */
  hosts: number;
  /** How often a lost host is started anew. */
  hostRetries: number;
  argv: readonly string[];
  /** Of the job program, for each item. */
  variables: Readonly<Record<string, string>>;
  vcpus: number;
  memoryMiB: number;
  timeoutSeconds?: number;
  head?: boolean;
  workflowId: string;
  tags: Readonly<Record<string, string>>;
}

export interface StopWord {
  reason: string;
}

export const hostJobAddress = (bucket: string, id: string): string => `s3://${bucket}/jobs/${id}/job.json`;
/** Beside the job. */
export const stopAddress = (jobAddress: string): string => jobAddress.replace(/job\.json$/, 'stop.json');

/** Far above what any job needs: an argv, and a step's environment. */
export const HOST_JOB_LIMIT = 1_048_576;

export function itemsOfHost({ items, hosts }: Pick<HostJob, 'items' | 'hosts'>, host: number): number[] {
  const own: number[] = [];
  for (let index = host; index < items; index += hosts) own.push(index);
  return own;
}

/** `<job>:<item>`; of a job of one item the job's. */
export const itemId = ({ id, items }: Pick<HostJob, 'id' | 'items'>, index: number): string =>
  items > 1 ? `${id}:${index}` : id;

/** @returns undefined as long as nobody has ended the job */
export async function stopWord(s3: S3Client, jobAddress: string): Promise<StopWord | undefined> {
  try {
    return await readJson<StopWord>(s3, stopAddress(jobAddress), HOST_JOB_LIMIT);
  } catch (error) {
    if (error instanceof UnreadableObjectError) return undefined;
    throw error;
  }
}
