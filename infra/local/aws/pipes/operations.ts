/**
 * The operations on pipes, by method and path, as the service model names them.
 *
 * @module
 */
import { AwsError } from '../../kit/service.ts';
import { checkedName, type Json, readPipe, validation } from './input.ts';
import type { Runner } from './runner.ts';
import type { Pipe, PipeStore } from './store.ts';

export interface Operation {
  name: string;
  subject: string;
  run(input: Json): Json;
}

const MAX_PAGE = 100;
/** The query parameters of ListPipes that choose, by what they compare. */
const CHOICES: Readonly<Record<string, (pipe: Pipe, value: string) => boolean>> = {
  NamePrefix: (pipe, value) => pipe.name.startsWith(value),
  DesiredState: (pipe, value) => pipe.desiredState === value,
  CurrentState: (pipe, value) => pipe.state === value,
  SourcePrefix: (pipe, value) => pipe.source.startsWith(value),
  TargetPrefix: (pipe, value) => pipe.target.startsWith(value),
};

export class PipeOperations {
  readonly #store: PipeStore;
  readonly #runner: Runner;

  constructor(store: PipeStore, runner: Runner) {
    this.#store = store;
    this.#runner = runner;
  }

  /** The operation of a request; undefined when there is none. */
  of(method: string, path: string, query: URLSearchParams): Operation | undefined {
    if (`${method} ${path}` === 'GET /v1/pipes') {
      return { name: 'ListPipes', subject: query.get('NamePrefix') ?? '', run: () => this.#list(query) };
    }
    const [, encoded, action = ''] = /^\/v1\/pipes\/([^/]+)(\/\w+)?$/.exec(path) ?? [];
    if (encoded === undefined) return undefined;
    const subject = decodeURIComponent(encoded);
    switch (`${method} ${action}`) {
      case 'POST ':
        return { name: 'CreatePipe', subject, run: (input) => this.#create(subject, input) };
      case 'GET ':
        return { name: 'DescribePipe', subject, run: () => this.#describe(this.#known(subject)) };
      case 'DELETE ':
        return { name: 'DeletePipe', subject, run: () => this.#delete(this.#known(subject)) };
      case 'POST /start':
        return { name: 'StartPipe', subject, run: () => this.#start(this.#known(subject)) };
      case 'POST /stop':
        return { name: 'StopPipe', subject, run: () => this.#stop(this.#known(subject)) };
      default:
        return undefined;
    }
  }

  /** Takes up what the last process left half-done. */
  resume(): void {
    for (const pipe of this.#store.list()) {
      if (pipe.state === 'DELETING') this.#store.end(pipe.name);
      else if (pipe.state === 'STOPPING') this.#store.change(pipe, { state: 'STOPPED' });
      else if (pipe.state === 'CREATING' && pipe.desiredState === 'STOPPED')
        this.#store.change(pipe, { state: 'STOPPED' });
      else if (['CREATING', 'STARTING', 'RUNNING'].includes(pipe.state)) this.#runner.start(pipe.name);
    }
  }

  #create(name: string, input: Json): Json {
    const description = readPipe(name, input);
    if (this.#store.find(name)) throw conflict(name, `Pipe ${name} already exists.`);
    const pipe = this.#store.create(description);
    if (pipe.desiredState === 'RUNNING') this.#runner.start(name);
    else this.#store.change(pipe, { state: 'STOPPED' });
    return this.#summary(pipe);
  }

  #start(pipe: Pipe): Json {
    if (pipe.state !== 'STOPPED' && pipe.state !== 'START_FAILED') throw busy(pipe);
    const starting = this.#store.change(pipe, { desiredState: 'RUNNING', state: 'STARTING' });
    this.#runner.start(pipe.name);
    return this.#summary(starting);
  }

  #stop(pipe: Pipe): Json {
    if (pipe.state !== 'RUNNING') throw busy(pipe);
    const stopping = this.#store.change(pipe, { desiredState: 'STOPPED', state: 'STOPPING' });
    this.#afterwards(pipe.name, 'STOPPING', (stopped) => this.#store.change(stopped, { state: 'STOPPED' }));
    return this.#summary(stopping);
  }

  #delete(pipe: Pipe): Json {
    if (pipe.state === 'DELETING') throw busy(pipe);
    const deleting = this.#store.change(pipe, { state: 'DELETING' });
    this.#afterwards(pipe.name, 'DELETING', ({ name }) => this.#store.end(name));
    return { ...this.#summary(deleting), DesiredState: 'DELETED' };
  }

  /** Once nothing of the pipe runs, unless something else was asked for by then. */
  #afterwards(name: string, state: Pipe['state'], then: (pipe: Pipe) => void): void {
    void this.#runner.stop(name).then(() => {
      const pipe = this.#store.find(name);
      if (pipe?.state === state) then(pipe);
    });
  }

  #list(query: URLSearchParams): Json {
    const limit = Number(query.get('Limit') ?? MAX_PAGE);
    if (!(Number.isInteger(limit) && limit >= 1 && limit <= MAX_PAGE)) {
      throw validation(
        `Value '${String(query.get('Limit'))}' at 'limit' failed to satisfy constraint: 1 to ${MAX_PAGE}`,
      );
    }
    const token = query.get('NextToken');
    const after = token === null ? '' : Buffer.from(token, 'base64').toString();
    const chosen = this.#store.list().filter(
      (pipe) =>
        pipe.name > after &&
        Object.entries(CHOICES).every(([parameter, fits]) => {
          const value = query.get(parameter);
          return value === null || fits(pipe, value);
        }),
    );
    const page = chosen.slice(0, limit);
    return {
      Pipes: page.map((pipe) => ({
        ...this.#summary(pipe),
        ...reason(pipe),
        Source: pipe.source,
        Target: pipe.target,
      })),
      ...(chosen.length > limit && { NextToken: Buffer.from(page.at(-1)?.name ?? '').toString('base64') }),
    };
  }

  #describe(pipe: Pipe): Json {
    return {
      ...this.#summary(pipe),
      ...reason(pipe),
      Source: pipe.source,
      SourceParameters: pipe.sourceParameters,
      Target: pipe.target,
      RoleArn: pipe.roleArn,
      Tags: pipe.tags,
      ...(pipe.description !== undefined && { Description: pipe.description }),
      ...(pipe.targetParameters && { TargetParameters: pipe.targetParameters }),
    };
  }

  /** What every operation answers with; times are epoch seconds. */
  #summary(pipe: Pipe): Json {
    return {
      Arn: this.#store.arn(pipe.name),
      Name: pipe.name,
      DesiredState: pipe.state === 'DELETING' ? 'DELETED' : pipe.desiredState,
      CurrentState: pipe.state,
      CreationTime: pipe.createdAt / 1000,
      LastModifiedTime: pipe.modifiedAt / 1000,
    };
  }

  #known(name: string): Pipe {
    const pipe = this.#store.find(checkedName(name));
    if (!pipe) throw new AwsError('NotFoundException', `Pipe ${name} does not exist.`, 404);
    return pipe;
  }
}

const reason = ({ stateReason }: Pipe) => (stateReason === undefined ? {} : { StateReason: stateReason });

const conflict = (resourceId: string, message: string) =>
  new AwsError('ConflictException', message, 409, { resourceId, resourceType: 'Pipe' });

const busy = ({ name, state }: Pipe) =>
  conflict(name, `Pipe ${name} is in the state ${state}: this is not allowed now.`);
