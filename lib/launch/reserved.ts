/**
 * What a job reserves on its host altogether, by compute service: what the sheet asks for, and what the job program needs.
 *
 * @module
 */
import { HELPER_RESOURCES } from './batch-submission.ts';
import { reserved } from './hosts.ts';

export interface Asked {
  vcpus: number;
  memoryMiB: number;
  /** A head job whose folder is kept. */
  keeps: boolean;
}

/** @param service absent in rows written before there were several: `batch` */
export function reservedOn(service: string | undefined, asked: Asked): { vcpus: number; memoryMib: number } {
  const { vcpus, memoryMiB, keeps } = asked;
  switch (service ?? 'batch') {
    case 'batch': {
      const all = reserved({ vcpus, memoryMiB, ...(keeps && { head: { state: { keep: ['**'] } } }) });
      return { vcpus: all.vcpus, memoryMib: all.memoryMiB };
    }
    // Init containers run one after the other: Kubernetes reserves the most that one of them asks for.
    case 'eks':
      return {
        vcpus: Math.max(vcpus, HELPER_RESOURCES.vcpus),
        memoryMib: Math.max(memoryMiB, HELPER_RESOURCES.memoryMiB),
      };
    default:
      return { vcpus, memoryMib: memoryMiB + HELPER_RESOURCES.memoryMiB };
  }
}
