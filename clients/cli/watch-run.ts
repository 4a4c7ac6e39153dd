/**
 * `longhaul watch`: any run, live, through the gateway.
 *
 * @module
 */
import { type Command, Option } from 'commander';
import { WebSocket } from 'ws';
import type { Position, ProgressEvent, Snapshot } from '../../workflows/progress/model.ts';
import { RunPicture } from '../../workflows/progress/picture.ts';
import type { LiveError, WatchOptions, WebSocketType } from '../live/client-types.ts';
import type { Resume } from '../live/protocol.ts';
import { WAYS, type Way, watchRun } from '../live/watch-run.ts';
import { CliError, EXIT } from './context.ts';
import { findGateway, gatewayToken, identityFile } from './gateway.ts';
import { showPictures } from './live.ts';
import { describeResume, hasFailed, type RunView, runDrawing } from './run-picture.ts';

interface Options {
  json?: boolean;
  from: string;
  gateway?: string;
  via?: Way;
}

/** What a shell says of a command that Ctrl-C has ended. */
const INTERRUPTED = 130;
/** Of what a run makes for its watchers, as characters. */
const MOST_TEXT = 100_000;

export function addWatchRunCommand(program: Command): void {
  program
    .command('watch')
    .argument('<workflow id>', 'such as launch/cohort-7-run-1, restore/cohort-7 or order/1042')
    .description('show any run live, as its gateway tells of it, until it has ended; exit code 1 if it failed')
    .option('--json', 'print one JSON object a line: { type: "resume", ... } and { type: "event", event }')
    .option('--from <where>', 'start, now, cursor (where you were), or <epoch>:<sequence>', 'now')
    .option('--gateway <url>', 'instead of LONGHAUL_GATEWAY_URL and that of the embedded platform')
    .addOption(new Option('--via <way>', 'only so; else the first of them that works').choices([...WAYS]))
    .addHelpText(
      'after',
      '\nA gateway that asks for a token gets the one in LONGHAUL_TOKEN.\n\nExamples:\n  longhaul watch launch/cohort-7-run-1\n  longhaul watch order/1042 --from start --json',
    )
    .action(watch);
}

async function watch(run: string, options: Options): Promise<void> {
  const place = placeOf(options.from);
  const gateway = await findGateway(options.gateway);
  const watching = follow(gateway, run, { ...place, ...(options.via && { via: options.via }) });
  let interrupted = false;
  process.once('SIGINT', () => {
    interrupted = true;
    watching.close();
  });
  const last = options.json
    ? await printJson(watching.told)
    : await showPictures(
        pictures(watching.told, run),
        process.stdout,
        runDrawing(() => process.stdout.rows),
      ).then((view) => view?.snapshot);
  if (interrupted) {
    const { position } = watching;
    const on = position ? ` --from ${position.epoch}:${position.seq}` : '';
    console.error(`${run} goes on by itself. To go on watching where you were: longhaul watch ${run}${on}`);
    process.exitCode = INTERRUPTED;
  } else if (!last || hasFailed(last)) process.exitCode = EXIT.failed;
}

function placeOf(from: string): Pick<WatchOptions, 'from' | 'position'> {
  if (from === 'start' || from === 'now' || from === 'cursor') return { from };
  const [, epoch, seq] = /^([^\s:]+):(\d{1,15})$/.exec(from) ?? [];
  if (epoch === undefined)
    throw new CliError(`--from ${from}: expected start, now, cursor or <epoch>:<sequence>`, EXIT.usage);
  return { position: { epoch, seq: Number(seq) } };
}

type Told =
  | { type: 'resume'; resume: Resume }
  | { type: 'event'; event: ProgressEvent }
  /** What came before a place in the middle of the log. */
  | { type: 'picture'; snapshot: Snapshot }
  | { type: 'way'; way: Way }
  | { type: 'lost' };

/** What a watch tells, one by one, until the run has ended or it is closed. */
function follow(gateway: string, run: string, options: Parameters<typeof watchRun>[2]) {
  const queue: Told[] = [];
  let failure: CliError | undefined;
  let ended = false;
  let wake = () => {};
  const tell = (told: Told) => {
    queue.push(told);
    wake();
  };
  const end = () => {
    ended = true;
    wake();
  };
  const fail = (error: CliError) => {
    failure = error;
    wake();
  };

  async function addPicture(position: Position): Promise<void> {
    const { token } = gatewayToken();
    const answer = await fetch(
      new URL(`/api/v1/progress/${run.split('/').map(encodeURIComponent).join('/')}`, gateway),
      {
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      },
    );
    if (!answer.ok) throw new Error(`the gateway answered ${answer.status} when asked for the picture of ${run}`);
    const snapshot = (await answer.json()) as Snapshot;
    tell({ type: 'picture', snapshot });
    if (snapshot.endedAt !== undefined && snapshot.seq <= position.seq) end();
  }

  let whole = false;
  const inner = watchRun(gateway, run, {
    ...options,
    ...gatewayToken(),
    WebSocket: WebSocket as unknown as WebSocketType,
    ...(options.from === 'cursor' && { storage: identityFile() }),
    onWay: (way) => tell({ type: 'way', way }),
    onRetry: () => tell({ type: 'lost' }),
    onResume(resume) {
      tell({ type: 'resume', resume });
      if ('snapshot' in resume) {
        // Of one that has ended nothing more comes.
        if (resume.snapshot?.endedAt !== undefined) end();
      } else if ('position' in resume && resume.position.seq > 0 && !whole)
        addPicture(resume.position).catch((error: Error) => fail(new CliError(error.message)));
      whole = true;
    },
    onEvent(event) {
      tell({ type: 'event', event });
      if (event.kind === 'end') end();
    },
    onError: (error) => fail(explain(run, error)),
  });
  async function* told(): AsyncGenerator<Told> {
    try {
      for (;;) {
        const next = queue.shift();
        if (next) yield next;
        else if (failure) throw failure;
        else if (ended) return;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    } finally {
      inner.close();
    }
  }
  return {
    told: told(),
    close: end,
    get position(): Position | undefined {
      return inner.position;
    },
  };
}

function explain(run: string, { code, message, remedy }: LiveError): CliError {
  if (code === 'not-found')
    return new CliError(
      `no progress of ${run} is known: its id is as the Temporal Web UI shows it, and it has to have begun`,
    );
  if (code === 'unauthorized' || code === 'forbidden')
    return new CliError(`${message}: ${remedy}; the token is taken from LONGHAUL_TOKEN`);
  return new CliError(`${message}: ${remedy}`);
}

/** Folds what is told. */
async function* pictures(told: AsyncIterable<Told>, run: string): AsyncGenerator<RunView> {
  let picture: RunPicture | undefined;
  let early: ProgressEvent[] = [];
  let resume: Resume | undefined;
  let view = { text: '', way: 'websocket', offline: false, merged: 0 };
  for await (const one of told) {
    if (one.type === 'way') view = { ...view, way: one.way };
    view.offline = one.type === 'lost';
    if (one.type === 'resume') {
      resume = one.resume;
      if (!('position' in resume)) picture = resume.snapshot && new RunPicture(resume.snapshot);
      if (!process.stdout.isTTY) console.error(describeResume(resume));
    } else if (one.type === 'picture') {
      picture ??= new RunPicture(one.snapshot);
      for (const event of early) picture.apply(event);
      early = [];
    } else if (one.type === 'event') {
      const { event } = one;
      const { data, merged = 1 } = event;
      view = { ...view, merged: view.merged + merged - 1 };
      view.text = (view.text + textOf(data)).slice(-MOST_TEXT);
      if (event.seq === merged) picture ??= RunPicture.empty(run, { domain: '' }, '', event.at);
      if (picture) picture.apply(event);
      else early.push(event);
    }
    if (picture && resume) yield { ...view, snapshot: picture.snapshot(), resume };
  }
}

/** Text a run makes for its watchers, by itself or with where it stands. */
function textOf(data: unknown): string {
  if (typeof data === 'string') return data;
  const { text } = (typeof data === 'object' && data !== null ? data : {}) as { text?: unknown };
  return typeof text === 'string' ? text : '';
}

type Outcome = Pick<Snapshot, 'status' | 'error'>;

async function printJson(told: AsyncIterable<Told>): Promise<Outcome | undefined> {
  let last: Outcome | undefined;
  for await (const one of told) {
    if (one.type === 'resume') {
      console.log(JSON.stringify({ type: 'resume', ...one.resume }));
      if ('snapshot' in one.resume) last = one.resume.snapshot;
    } else if (one.type === 'picture') last ??= one.snapshot;
    else if (one.type === 'event') {
      console.log(JSON.stringify(one));
      const { begins, status, error } = one.event;
      last = { ...(begins ? {} : last), ...(status !== undefined && { status }), ...(error && { error }) };
    }
  }
  return last;
}
