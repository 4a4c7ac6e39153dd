/**
 * What a resume says, in a few words. Pure.
 *
 * @module
 */
import type { Resume } from '../../live/protocol.ts';
import { count, counted } from './format.ts';

/** @returns undefined where there is nothing to tell: it has just begun */
export function resumeText(resume: Resume): string | undefined {
  switch (resume.verdict) {
    case 'fresh':
      return undefined;
    case 'current':
      return 'nothing missed';
    case 'replayed':
      return `${counted(resume.count, 'event')} caught up`;
    case 'gap':
      return `events ${count(resume.from)} to ${count(resume.to)} are no longer kept; what they changed is shown`;
    case 'purged':
      return 'the log was begun anew';
  }
}
