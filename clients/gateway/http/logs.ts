/**
 * `/launches/:id/logs`: page by page, as a download, or as they come.
 *
 * @module
 */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { clusterOfSettings } from '../../launch/log-cluster.ts';
import { followLogs } from '../../launch/log-follow.ts';
import { CONTAINERS, type LogLine as ReadLine } from '../../launch/log-lines.ts';
import { logPage, type PageSources } from '../../launch/log-page.ts';
import { LogOptionError } from '../../launch/log-pods.ts';
import { checkNames, loggedLaunch, UnknownNameError } from '../../launch/log-steps.ts';
import { chooseAttempts, stepLogs } from '../../launch/logs.ts';
import type { LogLine, LogPage } from '../../live/api.ts';
import type { ApiDependencies } from './dependencies.ts';
import { ApiProblem, notFound } from './errors.ts';
import { principalOf, seenLaunch } from './guard.ts';
import { answers, body, id, name, object, oneOf, ref, whole } from './schemas.ts';

interface LogsQuery {
  step?: string;
  item?: string[];
  attempt?: number;
  container: string[];
  search?: string;
  errors?: boolean;
  since?: number;
  limit: number;
  tail?: number;
  follow?: boolean;
}

/** Whatever is out of reach for so long is told as that. */
const PATIENCE_MS = 20_000;
const LINES = { usual: 1_000, most: 5_000 };
/** Of a download, in each step. */
const ITEMS_DOWNLOADED = 2_000;
const TEXT = 'text/plain; charset=utf-8';
const NDJSON = 'application/x-ndjson; charset=utf-8';

const several = (items: object, description: string) => ({
  type: 'array',
  items,
  minItems: 1,
  maxItems: 100,
  description,
});

export function logRoutes(app: FastifyInstance, deps: ApiDependencies): void {
  const { s3, batch, logs } = deps.aws;
  const kubernetes = clusterOfSettings(deps.settings);
  const { launches, steps } = deps;
  const sources: PageSources = { s3, batch, logs, bucket: deps.settings.bucket, launches, steps, kubernetes };
  app.get<{ Params: { id: string }; Querystring: LogsQuery }>(
    '/launches/:id/logs',
    {
      schema: {
        tags: ['launches'],
        summary:
          'What the jobs of a launch have written: a page by time; as text/plain all of it; followed as x-ndjson',
        params: object({ id: id('launch') }),
        querystring: body(
          {},
          {
            step: name('All steps when left out.', 128),
            item: several(name('Key of an item.', 512), 'Only these items; may be repeated.'),
            attempt: whole(1, 9_999, 'Only this attempt of the compute service.'),
            container: {
              ...several(oneOf(CONTAINERS, 'A container.'), 'Whose lines; may be repeated.'),
              default: ['main'],
            },
            search: name('Filter pattern of CloudWatch Logs.', 1_024),
            errors: { type: 'boolean', description: 'Only items that have failed.' },
            since: whole(0, 8_640_000_000_000_000, 'Epoch milliseconds: only lines from then on.'),
            limit: whole(1, LINES.most, 'Lines to a page.', { default: LINES.usual }),
            tail: whole(1, LINES.most, 'Only the last lines of each container of each attempt.'),
            follow: { type: 'boolean', description: 'Lines as they come, one JSON object each, until the end.' },
          },
        ),
        response: answers(ref('LogPage'), { text: 'text/plain' }),
      },
    },
    async (request, reply) => {
      const item = await seenLaunch(deps, principalOf(request), request.params.id);
      if (request.query.follow) return follow(sources, request, reply);
      if (wantsText(request)) return download(sources, request, reply);
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const page = await told(request.query, () =>
        logPage(
          sources,
          item.launch_id,
          { ...choiceOf(request.query), limit: request.query.limit, signal },
          Date.now(),
        ),
      );
      if (!page) throw notFound(`launch ${item.launch_id}`);
      return pageOf(page);
    },
  );
}

const wantsText = ({ headers }: FastifyRequest): boolean => /^\s*text\/plain\b/.test(headers.accept ?? '');

function choiceOf({ step, item, attempt, container, search, errors, since, tail }: LogsQuery) {
  return {
    containers: container,
    ...(step !== undefined && { step }),
    ...(item && { items: item }),
    ...(attempt !== undefined && { attempt }),
    ...(search !== undefined && { search }),
    ...(errors && { errors }),
    ...(since !== undefined && { since }),
    ...(tail !== undefined && { tail }),
  };
}

function pageOf({ lines, leftOut, more }: { lines: ReadLine[]; leftOut: number; more?: number }): LogPage {
  return {
    lines: lines.map(lineOf),
    ...(leftOut > 0 && { leftOut }),
    ...(more !== undefined && { more }),
  };
}

const lineOf = ({ at, step, item, attempt, container, message }: ReadLine): LogLine => ({
  at: Date.parse(at),
  step,
  item,
  attempt,
  container,
  text: message,
});

/** Errors of what was asked for, in the words of the API. */
async function told<T>(query: LogsQuery, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof UnknownNameError)
      throw new ApiProblem('not-found', error.message, 'GET /api/v1/launches/{id} names steps and items');
    if (error instanceof LogOptionError)
      throw new ApiProblem(
        'bad-request',
        'these logs are kept by Kubernetes, which cannot search them',
        'leave "search" out',
      );
    if (query.search !== undefined && error instanceof Error && error.name === 'InvalidParameterException')
      throw new ApiProblem(
        'bad-request',
        'querystring.search is no filter pattern of CloudWatch Logs',
        'put what has other signs than letters, digits and _ in double quotes',
      );
    throw error;
  }
}

type Asked = FastifyRequest<{ Params: { id: string }; Querystring: LogsQuery }>;

async function download(sources: PageSources, request: Asked, reply: FastifyReply): Promise<FastifyReply> {
  const { id } = request.params;
  const signal = whenGone(reply);
  const launch = await loggedLaunch(sources, id);
  await told(request.query, async () => checkNames(launch?.steps ?? [], choiceOf(request.query)));
  const lines = allLines(sources, launch?.steps ?? [], request.query, signal);
  const iterator = lines[Symbol.asyncIterator]();
  // What goes wrong at once has a status of its own; later it ends the download.
  const first = await told(request.query, () => iterator.next());
  return reply
    .type(TEXT)
    .header('content-disposition', `attachment; filename="${id}.log"`)
    .send(Readable.from(asText(first, iterator)));
}

async function* asText(first: IteratorResult<string>, rest: AsyncIterator<string>): AsyncGenerator<string> {
  for (let next = first; !next.done; next = await rest.next()) yield next.value;
}

async function* allLines(
  sources: PageSources,
  steps: readonly Parameters<typeof chooseAttempts>[1][],
  query: LogsQuery,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const { step, items, ...choice } = choiceOf(query);
  for (const one of steps) {
    const own = items?.filter((item) => one.items.includes(item));
    if (!one.row || (step !== undefined && one.name !== step) || own?.length === 0) continue;
    const options = { ...choice, ...(own && { items: own }), limit: ITEMS_DOWNLOADED, signal };
    const { attempts, leftOut } = await chooseAttempts(sources, one, options);
    for await (const line of stepLogs(sources, attempts, { ...choice, signal })) yield describe(line);
    if (leftOut > 0) yield `# ${leftOut} more items of step ${one.name} are not here: ask for them with item=\n`;
  }
}

const describe = ({ at, step, item, attempt, container, message }: ReadLine): string =>
  `${at} [${step}/${item}#${attempt} ${container}] ${message}\n`;

async function follow(sources: PageSources, request: Asked, reply: FastifyReply): Promise<FastifyReply> {
  const signal = whenGone(reply);
  // It knows no choice of failed items: those are only known in the end.
  const { errors: _, ...choice } = choiceOf(request.query);
  const iterator = followLogs(sources, request.params.id, { ...choice, signal })[Symbol.asyncIterator]();
  const lines = async function* (): AsyncGenerator<string> {
    for (let next = await iterator.next(); !next.done; next = await iterator.next())
      yield `${JSON.stringify(lineOf(next.value))}\n`;
  };
  const launch = await loggedLaunch(sources, request.params.id);
  if (launch?.steps) await told(request.query, async () => checkNames(launch.steps ?? [], choice));
  return reply.type(NDJSON).header('x-accel-buffering', 'no').send(Readable.from(lines()));
}

function whenGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return gone.signal;
}
