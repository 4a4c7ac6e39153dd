/**
 * Who knows how the user's container ended: the order of the containers where they run one after the other, the task
 * metadata endpoint of ECS elsewhere.
 *
 * @module
 */
import type { Job } from './job.ts';
import type { EndingProvider, MainEnding } from './main-ending.ts';
import { ORDERED_ENDING } from './ordered.ts';
import { ECS_ENDING } from './task-metadata.ts';

const providerOf = (job: Job): EndingProvider => (job.ordered ? ORDERED_ENDING : ECS_ENDING);

export const mainEnding = (job: Job): Promise<MainEnding | undefined> => providerOf(job).mainEnding(job);
export const mainContainer = (job: Job): Promise<MainEnding> => providerOf(job).mainContainer(job);
