/**
 * What the family does: it opens its mails and the page they link to. Mails that SNS would send are in the stand-in's mailbox.
 *
 * @module
 */
import type { Client } from '@temporalio/client';
import type { ReadableStory, SpeechMarks } from '../../lib/story/document.ts';

interface Mail {
  kind: 'confirmation' | 'notification';
  to: string;
  text: string;
  link: string;
}

const BRANCHES = new Set(['drawPicture', 'speakStory', 'notifyFamily', 'announceStory']);

async function fetched(address: string): Promise<Response> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${new URL(address).pathname}: ${answer.status} ${answer.statusText}`);
  return answer;
}

/** The newest first. */
async function mailsTo(address: string): Promise<Mail[]> {
  const answer = await fetched(`${process.env.AWS_ENDPOINT_URL}/_longhaul/mailbox`);
  const { mails } = (await answer.json()) as { mails: Mail[] };
  return mails.filter(({ to }) => to === address).toReversed();
}

/** Subscribes, and follows the link of the mail that asks whether it was meant. */
export async function subscribeByMail(address: string, subscribe: () => Promise<void>): Promise<void> {
  await subscribe();
  const mail = (await mailsTo(address)).find(({ kind }) => kind === 'confirmation');
  if (!mail) throw new Error(`no mail has asked ${address} to confirm`);
  await fetched(mail.link);
}

/** @returns the link in the mail of that story @throws Error when there is not exactly one */
export async function openMail(address: string, storyId: string): Promise<string> {
  const links = (await mailsTo(address)).flatMap(({ kind, text }) => {
    const link = /^https?:\/\/\S+\/stories\/\S+$/m.exec(text)?.[0];
    return kind === 'notification' && link?.includes(`/stories/${storyId}?`) ? [link] : [];
  });
  const [link] = links;
  if (link === undefined || links.length > 1) throw new Error(`${links.length} mails tell of ${storyId}`);
  return link;
}

export async function readPage(pageUrl: string): Promise<{ story: ReadableStory; marks: number; epub: number }> {
  const below = (name: string): string => {
    const address = new URL(pageUrl);
    address.pathname += `/${name}`;
    return address.href;
  };
  const html = await (await fetched(pageUrl)).text();
  const story = (await (await fetched(below('story.json'))).json()) as ReadableStory;
  if (!html.includes(story.title.replaceAll('&', '&amp;').replaceAll('"', '&quot;')))
    throw new Error('the page does not show the story');
  const { marksUrl } = story.audio;
  const marks =
    marksUrl === undefined
      ? []
      : ((await (await fetched(new URL(marksUrl, pageUrl).href)).json()) as SpeechMarks).words;
  const epub = (await (await fetched(below('story.epub'))).arrayBuffer()).byteLength;
  return { story, marks: marks.length, epub };
}

/** Epoch ms at which each of the parallel parts was begun by a worker, by the server's clock. */
export async function branchStarts(client: Client, workflowId: string): Promise<number[]> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  const names = new Map(
    events?.map(({ eventId, activityTaskScheduledEventAttributes: scheduled }) => [
      String(eventId),
      scheduled?.activityType?.name ?? '',
    ]),
  );
  return (events ?? []).flatMap(({ eventTime, activityTaskStartedEventAttributes: started }) => {
    if (!started || !BRANCHES.has(names.get(String(started.scheduledEventId)) ?? '')) return [];
    return [Number(eventTime?.seconds) * 1_000 + (eventTime?.nanos ?? 0) / 1e6];
  });
}
