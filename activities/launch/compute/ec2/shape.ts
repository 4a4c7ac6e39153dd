/**
 * On what a job runs: the smallest of the allowed instance types that hold it, how many of them, how many items at a time
 * on each. Pure.
 *
 * @module
 */
import { HELPER_RESOURCES } from '../../../../lib/launch/batch-submission.ts';
import type { Host } from '../../../../lib/launch/hosts.ts';
import type { JobRequest } from '../service.ts';

export interface Slotted extends Host {
  /** Items at a time. */
  slots: number;
}

/** Beside each command there is the job program; it waits most of the time, so it asks for no processor. */
export const slotsOf = ({ vcpus, memoryMiB }: Host, job: Pick<JobRequest, 'vcpus' | 'memoryMiB'>): number =>
  Math.min(Math.floor(vcpus / job.vcpus), Math.floor(memoryMiB / (job.memoryMiB + HELPER_RESOURCES.memoryMiB)));

/** @returns those that hold the job, smallest first; the next is for when the first has no capacity */
export const fitting = (hosts: readonly Host[], job: Pick<JobRequest, 'vcpus' | 'memoryMiB'>): Slotted[] =>
  hosts
    .map((host) => ({ ...host, slots: slotsOf(host, job) }))
    .filter(({ slots }) => slots > 0)
    .sort((a, b) => a.vcpus - b.vcpus || a.memoryMiB - b.memoryMiB || a.type.localeCompare(b.type));

export const hostsFor = (items: number, { slots }: Slotted, most: number): number =>
  Math.min(Math.ceil(items / slots), most);
