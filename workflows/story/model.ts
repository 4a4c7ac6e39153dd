/**
 * The contract of the story domain: names, ids, statuses, what activities are asked and answer. Depends on nothing, so that
 * workflows, activities and clients can all import it.
 *
 * Workflow histories name stories only by their ids: names of characters, prompts, titles and texts stand in the tables.
 *
 * @module
 */

export const WORKFLOW_TYPE = 'story';
/** What a schedule starts; it starts the night's story under the story's own id, to which no schedule adds a time. */
export const NIGHT_WORKFLOW_TYPE = 'storyNight';
export const ACTIVITY_TASK_QUEUE = 'longhaul-story';

/** Of a family: opaque, lower case; also the consumer its stories belong to, and part of ids, keys and addresses. */
export const FAMILY_PATTERN = /^[a-z0-9][a-z0-9-]{0,39}$/;
/** The local date of the scheduled time, or a UUID of a story that was asked for by hand. */
export const NIGHT_PATTERN =
  /^(\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/;

/** `<family>/<night>` */
export const storyIdOf = (family: string, night: string): string => `${family}/${night}`;
/** `story/<family>/<night>` */
export const workflowIdOf = (storyId: string): string => `story/${storyId}`;
export const scheduleIdOf = (family: string): string => `story/${family}`;
/** A schedule adds the time of the action. */
export const nightWorkflowIdOf = (family: string): string => `story-night/${family}`;
/** Everything of a story in the bucket lies below it. */
export const placeOf = (storyId: string): string => `stories/${storyId}/`;

export interface StoryName {
  family: string;
  night: string;
}

/** Of `<family>/<night>`, or the workflow's id; undefined for what is none: no launch has a slash in its id. */
export function storyNameOf(id: string): StoryName | undefined {
  const [family = '', night = '', ...others] = id.replace(/^story\//, '').split('/');
  return others.length === 0 && FAMILY_PATTERN.test(family) && NIGHT_PATTERN.test(night)
    ? { family, night }
    : undefined;
}

/** How long a story can be read: links and the table's time to live. */
export const STORY_DAYS = 2;

export interface StoryInput {
  family: string;
  night: string;
}

export interface NightInput {
  family: string;
}

export interface NightResult {
  storyId: string;
  /** `existing`: the night has its story, or is making it. */
  outcome: 'started' | 'existing';
}

/** WRITING: no text yet. READY: it can be read; picture, voice and mail are under way. COMPLETE: nothing more will come. */
export const STORY_STATUSES = ['WRITING', 'READY', 'COMPLETE', 'FAILED', 'CANCELLED'] as const;
export type StoryStatus = (typeof STORY_STATUSES)[number];
export const isEnded = (status: StoryStatus): boolean => status !== 'WRITING' && status !== 'READY';

/** What comes beside the text. */
export const PARTS = ['image', 'audio', 'mail', 'event'] as const;
export type Part = (typeof PARTS)[number];

/**
 * PENDING: under way. READY: there (of mail and event: sent). STOCK: one of our own drawings stands in for a picture that was
 * refused. NONE: nobody has subscribed. UNCERTAIN: nobody can say whether the mail was sent, so it is not sent again.
 * FAILED: given up.
 */
export const PART_STATES = ['PENDING', 'READY', 'STOCK', 'NONE', 'UNCERTAIN', 'FAILED'] as const;
export type PartState = (typeof PART_STATES)[number];
export type PartStates = Readonly<Record<Part, PartState>>;

export interface StoryResult {
  storyId: string;
  /** `existing`: another run has made it. */
  outcome: 'made' | 'existing';
  words?: number;
  parts?: PartStates;
}

export const PROGRESS_QUERY = 'progress';

export interface StoryProgress {
  storyId: string;
  status: StoryStatus;
  words?: number;
  parts: PartStates;
}

/** What every activity about a story is told. */
export interface OfStory {
  storyId: string;
}

/** `registerStory`: the night's lasting identity, its draw, and what it may cost, in one transaction. */
export interface RegisterInput extends OfStory {
  family: string;
  night: string;
  /** Of the workflow's first run: a reset or retried workflow of the same run goes on with its own story. */
  runId: string;
}
export type Registered =
  | { outcome: 'existing'; status: StoryStatus }
  | {
      outcome: 'new';
      /** From 1: a story that failed, or whose run was ended, is gone on with by the next. */
      attempt: number;
      /** The mail waits until picture and voice have ended, whichever way. */
      waitForAll: boolean;
    };

/** Why a text is not kept as it is; it is written once more, and told so. */
export const TEXT_PROBLEMS = ['TOO_SHORT', 'TOO_LONG', 'TRUNCATED', 'REFUSED', 'FLAGGED', 'MALFORMED'] as const;
export type TextProblem = (typeof TEXT_PROBLEMS)[number];

/** `writeText` */
export interface WriteInput extends OfStory {
  /** 1, or 2 for the repair. */
  draft: 1 | 2;
  /** Of the first draft. */
  problem?: TextProblem;
}
export type Written =
  | { outcome: 'kept'; words: number; characters: number }
  | { outcome: 'rejected'; problem: TextProblem };

/** What the branches answer: `drawPicture`, `speakStory`, `notifyFamily`, `announceStory`. */
export interface PartResult {
  state: PartState;
  /** In the words of an error, for people; never of the story itself. */
  reason?: string;
}

/** `recordPart`: a branch has been given up. */
export interface RecordPartInput extends OfStory, PartResult {
  part: Part;
}

/** `finishStory`: status and parts, what it cost into the ledger, and what was reserved and not spent set free. */
export interface FinishInput extends OfStory {
  /** As `registerStory` has told: an earlier one ends nothing. */
  attempt: number;
  status: 'COMPLETE' | 'FAILED' | 'CANCELLED';
  /** Of a failure. */
  error?: { type: string; message: string };
}

/** `planNight` */
export interface PlanNightInput {
  family: string;
  /** ISO 8601, by the schedule. */
  scheduledAt: string;
}
export interface PlannedNight {
  storyId: string;
  /** The local date in the family's time zone. */
  night: string;
  /** The registry knows it: it has been made, or is being made. */
  existing: boolean;
}

/**
 * Types of this domain's errors. What each means and what the user does about it stands in docs/errors.md; a test keeps the
 * two equal.
 */
export const ERROR_TYPES = [
  'FamilyNotFoundError',
  'InvalidStoryInputError',
  'StoryNotConfiguredError',
  'StoryModelError',
  'StoryUnsafeError',
  'StoryTextError',
  'StoryLimitError',
  'StoryUnpricedError',
  'StoryRejectedError',
  'StoryGoneError',
] as const;
export type StoryErrorType = (typeof ERROR_TYPES)[number];
