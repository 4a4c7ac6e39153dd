/**
 * Watching a run by asking: for whoever can do nothing but HTTP requests. The gateway answers when there is something
 * new, or after a while.
 *
 * @module
 */
import type { EventPage } from './api.ts';
import type { Watch } from './client-types.ts';
import { beginningOf, type FeedOptions, followRun } from './feed.ts';

const WAIT_SECONDS = 20;
const PAGE = 500;

export function watchByPolling(url: string, run: string, options: FeedOptions): Watch {
  let told = false;
  return followRun(url, run, options, async (place) => {
    const position = await beginningOf(place, options.from);
    const query = new URLSearchParams({ limit: String(PAGE), wait: String(position ? WAIT_SECONDS : 0) });
    if (position) {
      query.set('epoch', position.epoch);
      query.set('after', String(position.seq));
    }
    const response = await place.get('progress-events', `?${query.toString()}`);
    const { resume, events } = (await response.json()) as EventPage;
    // Each answer has a verdict; what says nothing new is told once.
    if (!told || (resume.verdict !== 'current' && resume.verdict !== 'replayed') || !place.position)
      place.resume(resume);
    told = true;
    for (const event of events) place.event(event);
  });
}
