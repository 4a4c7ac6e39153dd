/**
 * Stories as families read them: the page, what it reads, the e-book, the book of past titles. Beside the API: a link is
 * enough, and whoever opens one is no user of the gateway.
 *
 * @module
 */
import type { S3Client } from '@aws-sdk/client-s3';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { StoryStore } from '../../../lib/store/stories.ts';
import type { StoryItem } from '../../../lib/story/document.ts';
import { EPUB_MEDIA_TYPE } from '../../../lib/story/epub.ts';
import { TOKEN_PARAMETER } from '../../../lib/story/link.ts';
import { StoryObjects } from '../../../lib/story/objects.ts';
import { findStory, readableOf, soundOf, versionOf } from '../../../lib/story/read.ts';
import { bookDocument, type NoticeName, type PageData, storyDocument } from '../../story-page/render.tsx';
import { preferredLanguage } from '../../story-page/view/words.ts';
import type { Tokens } from '../auth/tokens.ts';
import type { Hub } from '../live/hub.ts';
import { type Admission, admit, type StoryParams, type StoryRequest } from './admit.ts';
import { hasVersion, PRIVATE, sendNotice, sendPage, sendProblem } from './answers.ts';
import { serveAssets } from './assets.ts';
import { queryOf, readBook } from './book.ts';
import { createEbooks } from './ebook.ts';
import { createStoryStreams, type StoryStreams } from './events.ts';

export interface StoriesDeps {
  store: Pick<StoryStore, 'get' | 'record' | 'book'>;
  s3: S3Client;
  bucket: string;
  /** The setting storyLinkKey. */
  linkKey: string;
  /** Folder of what was built for the pages. */
  assets: string;
  /** In pixels, of pictures as they are asked for. */
  pictureSize?: { width: number; height: number };
}

interface RouteDeps extends StoriesDeps {
  open: boolean;
  tokens?: Tokens | undefined;
  hub: Pick<Hub, 'subscribe'>;
  now(): number;
  heartbeatMs?: number | undefined;
}

type OfStory = { Params: StoryParams; Querystring: Record<string, unknown> };

/** How far below the root: `/stories/<family>/<night>`, and what is below that. */
const PAGE_DEPTH = 2;
const BELOW_DEPTH = 3;
/** Of one address, a minute: more than a family does, also behind one router. */
const READS = { max: 600, timeWindow: '1 minute' };
const EBOOKS = { max: 30, timeWindow: '1 minute' };

export function storyRoutes(app: FastifyInstance, deps: RouteDeps): StoryStreams {
  const { store, now } = deps;
  const assets = serveAssets(app, deps.assets);
  const objects = new StoryObjects(deps.s3, deps.bucket);
  const ebooks = createEbooks(objects);
  const streams = createStoryStreams(deps.hub, deps);
  const below = '/stories/:family/:night';
  const options = { config: { public: true, rateLimit: READS } };

  /** The story, or why there is none for whoever asks. */
  async function open(request: StoryRequest): Promise<{ item: StoryItem } | { not: NoticeName; admission: Admission }> {
    const admission = await admit(request, deps);
    if (admission === 'refused') return { not: 'unknown', admission };
    if (admission === 'expired') return { not: 'gone', admission };
    const found = await findStory(store, request.params, now());
    return found.outcome === 'there' ? found : { not: found.outcome, admission };
  }
  /** The book is for those who might read the story still. */
  const notice = (
    request: StoryRequest,
    reply: FastifyReply,
    name: NoticeName,
    depth: number,
    admission?: Admission,
  ) => {
    const shown = name !== 'unknown' && (admission === 'link' || admission === 'user');
    const book = `${depth === PAGE_DEPTH ? `${request.params.night}/` : ''}book${queryOf(request.query[TOKEN_PARAMETER])}`;
    return sendNotice(request, reply, { name, assets, depth, book: shown ? book : undefined });
  };
  const readable = ({ family, night }: StoryParams, token: unknown, item: StoryItem) =>
    readableOf(item, {
      sign: (object) => objects.sign(object),
      marks: `/stories/${family}/${night}/marks.json${queryOf(token)}`,
    });

  app.get<OfStory>(below, options, async (request, reply) => {
    const opened = await open(request);
    if ('not' in opened) return notice(request, reply, opened.not, PAGE_DEPTH, opened.admission);
    const token = request.query[TOKEN_PARAMETER];
    const query = queryOf(token);
    const { night } = request.params;
    const data: PageData = {
      story: await readable(request.params, token, opened.item),
      links: { epub: `${night}/story.epub${query}`, book: `${night}/book${query}` },
      ...(deps.pictureSize && { pictureSize: deps.pictureSize }),
    };
    return sendPage(reply, storyDocument(data, assets(PAGE_DEPTH)), await objects.origin());
  });

  app.get<OfStory>(`${below}/story.json`, options, async (request, reply) => {
    const opened = await open(request);
    if ('not' in opened) return sendProblem(reply, opened.not);
    const etag = `"${versionOf(opened.item)}"`;
    void reply.headers({ ...PRIVATE, etag });
    if (hasVersion(request.headers['if-none-match'], etag)) return reply.code(304).send();
    return readable(request.params, request.query[TOKEN_PARAMETER], opened.item);
  });

  app.get<OfStory>(`${below}/marks.json`, options, async (request, reply) => {
    const opened = await open(request);
    if ('not' in opened) return sendProblem(reply, opened.not);
    const key = soundOf(opened.item) && opened.item.audio.marks_key;
    if (key === undefined) return sendProblem(reply, 'notYet');
    void reply.headers(PRIVATE);
    return objects.marks(key);
  });

  app.get<OfStory>(`${below}/events`, options, async (request, reply) => {
    const opened = await open(request);
    if ('not' in opened) return sendProblem(reply, opened.not);
    const { story_id: storyId, family, expires_at } = opened.item;
    if (!streams.room(storyId)) return sendProblem(reply, 'busy');
    void reply.headers({ ...PRIVATE, 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    if (request.method === 'HEAD') return reply.send();
    reply.hijack();
    const { raw } = reply;
    raw.on('error', () => raw.destroy());
    raw.writeHead(200, reply.getHeaders() as Record<string, string>);
    streams.open(raw, { storyId, family, until: expires_at * 1000 });
    return reply;
  });

  app.get<OfStory>(`${below}/story.epub`, { config: { public: true, rateLimit: EBOOKS } }, async (request, reply) => {
    const opened = await open(request);
    if ('not' in opened) return notice(request, reply, opened.not, BELOW_DEPTH, opened.admission);
    if ((opened.item.paragraphs ?? []).length === 0) return notice(request, reply, 'notYet', BELOW_DEPTH);
    const file = `attachment; filename="bedtime-story-${request.params.night}.epub"`;
    const headers = { ...PRIVATE, 'content-type': EPUB_MEDIA_TYPE, 'content-disposition': file };
    if (request.method === 'HEAD') return reply.headers(headers).send();
    const epub = await ebooks.make(opened.item);
    if (!epub) return notice(request, reply, 'busy', BELOW_DEPTH);
    return reply.headers(headers).send(Buffer.from(epub.buffer, epub.byteOffset, epub.byteLength));
  });

  app.get<OfStory>(`${below}/book`, options, async (request, reply) => {
    const admission = await admit(request, deps);
    if (admission === 'refused' || admission === 'expired')
      return notice(request, reply, admission === 'expired' ? 'gone' : 'unknown', BELOW_DEPTH, admission);
    const { query, params } = request;
    const { lines, older } = await readBook(
      store,
      { ...params, admission, token: query[TOKEN_PARAMETER], before: query['before'] },
      now(),
    );
    const item = await store.get(`${params.family}/${params.night}`);
    const language = item?.language ?? preferredLanguage(request.headers['accept-language']);
    return sendPage(reply, bookDocument(lines, language, assets(BELOW_DEPTH), older));
  });

  return streams;
}
