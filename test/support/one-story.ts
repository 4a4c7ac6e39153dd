/**
 * One story in memory, with what the store on DynamoDB promises of what the activities of its stages use. `before` may fail a
 * write, as a worker does that dies there.
 *
 * @module
 */
import type { PartView, StageUsage, StoryItem, StoryRecord, Verdict } from '../../lib/story/document.ts';
import { expiresAtOf } from '../../lib/story/expiry.ts';
import { type Part, workflowIdOf } from '../../workflows/story/model.ts';

/** Of the workflow that writes it. */
export const RUN = 'run-1';

export class OneStory {
  item: StoryItem | undefined;
  kept: StoryRecord;
  /** Told of each write before it is done: `text`, `claim`, `image READY`, `usage text-1`, `verdict text-1`. */
  before: (what: string) => void | Promise<void> = () => {};

  constructor(item: StoryItem) {
    this.item = item;
    this.kept = begunRecord(item);
  }

  async get(): Promise<StoryItem | undefined> {
    return structuredClone(this.item);
  }

  async record(): Promise<StoryRecord> {
    return structuredClone(this.kept);
  }

  async keepText(
    _id: string,
    { at, ...text }: { title: string; paragraphs: readonly string[]; words: number; at: string },
  ): Promise<boolean> {
    await this.before('text');
    if (!this.item || !['WRITING', 'READY'].includes(this.item.status)) return false;
    this.item = { ...this.item, ...text, status: 'READY', updated_at: at };
    return true;
  }

  async keepPart(_id: string, part: Part, view: PartView, at: string): Promise<boolean> {
    await this.before(`${part} ${view.state}`);
    if (!this.item) return false;
    this.item = { ...this.item, [part]: { at, ...view }, updated_at: at };
    return true;
  }

  async claimMail(_id: string, at: string): Promise<boolean> {
    await this.before('claim');
    if (this.item?.mail.state !== 'PENDING') return false;
    this.item = { ...this.item, mail: { state: 'UNCERTAIN', at } };
    return true;
  }

  async keepVerdict(_family: string, _night: string, of: string, verdict: Verdict): Promise<void> {
    await this.before(`verdict ${of}`);
    this.kept = { ...this.kept, verdicts: { ...this.kept.verdicts, [of]: verdict } };
  }

  async keepUsage(_family: string, _night: string, stage: string, usage: StageUsage): Promise<void> {
    await this.before(`usage ${stage}`);
    this.kept = { ...this.kept, usage: { ...this.kept.usage, [stage]: usage } };
  }
}

/** Begun at `now`, epoch ms, and nothing of it there. */
export function begunStory(id: string, now: number, change: Partial<StoryItem> = {}): StoryItem {
  const at = new Date(now).toISOString();
  const [family = '', night = ''] = id.split('/');
  return {
    story_id: id,
    family,
    night,
    workflow_id: workflowIdOf(id),
    run_id: RUN,
    status: 'WRITING',
    draw: { characters: [{ name: 'Parker' }, { name: 'Jackson' }], scene: { name: 'haunted woods' } },
    language: 'en-GB',
    voice: 'Amy',
    engine: 'neural',
    min_words: 200,
    created_at: at,
    updated_at: at,
    expires_at: expiresAtOf(now),
    image: { state: 'PENDING' },
    audio: { state: 'PENDING' },
    mail: { state: 'PENDING' },
    event: { state: 'PENDING' },
    ...change,
  };
}

export const begunRecord = (item: StoryItem): StoryRecord => ({
  family: item.family,
  entry: `night#${item.night}`,
  story_id: item.story_id,
  night: item.night,
  status: 'WRITING',
  run_id: item.run_id,
  attempt: 1,
  cast: { characters: ['parker', 'jackson'], scene: 'haunted-woods' },
  created_at: item.created_at,
  verdicts: {},
  usage: {},
  reserved: 0,
  month: item.created_at.slice(0, 7),
});
