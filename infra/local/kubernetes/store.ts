/**
 * The objects of one kind: by namespace and name, with versions, in pages. In memory: a cluster lives as long as its test.
 *
 * @module
 */
import type { Job, Pod } from './model.ts';
import { ApiError, alreadyExists, badRequest, notFound } from './status.ts';

/** etcd's revision: one for all kinds. */
export class Revisions {
  #last = 0;

  next(): string {
    this.#last += 1;
    return String(this.#last);
  }

  get current(): string {
    return String(this.#last);
  }
}

export interface Page<T> {
  items: T[];
  next?: string;
}

export class Collection<T extends Pod | Job> {
  readonly #objects = new Map<string, T>();
  readonly #revisions: Revisions;
  /** Such as `jobs.batch`. */
  readonly #resource: string;

  constructor(resource: string, revisions: Revisions) {
    this.#resource = resource;
    this.#revisions = revisions;
  }

  add(object: T): void {
    const key = keyOf(object);
    if (this.#objects.has(key)) throw alreadyExists(this.#resource, object.metadata.name);
    this.#objects.set(key, object);
    this.touch(object);
  }

  find(namespace: string, name: string): T | undefined {
    return this.#objects.get(`${namespace}/${name}`);
  }

  get(namespace: string, name: string): T {
    const found = this.find(namespace, name);
    if (!found) throw notFound(this.#resource, name);
    return found;
  }

  /** It has changed. */
  touch(object: T): void {
    object.metadata.resourceVersion = this.#revisions.next();
  }

  remove(object: T): void {
    this.#objects.delete(keyOf(object));
    this.#revisions.next();
  }

  all(): T[] {
    return [...this.#objects.values()];
  }

  /** By name, as etcd has its keys; a page goes on behind the last name of the one before. */
  list(namespace: string, test: (object: T) => boolean, limit: number, token: string | undefined): Page<T> {
    const after = token === undefined ? '' : behind(token);
    const found = this.all()
      .filter(({ metadata }) => metadata.namespace === namespace && metadata.name > after)
      .filter(test)
      .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    if (limit === 0 || found.length <= limit) return { items: found };
    const items = found.slice(0, limit);
    return { items, next: Buffer.from(items.at(-1)?.metadata.name ?? '').toString('base64url') };
  }
}

const keyOf = ({ metadata }: Pod | Job): string => `${metadata.namespace}/${metadata.name}`;

function behind(token: string): string {
  const name = Buffer.from(token, 'base64url').toString('utf8');
  if (!/^[a-z0-9.-]+$/.test(name)) throw badRequest('continue key is not valid');
  return name;
}

/** @throws ApiError of an update that began from an older version */
export function checkVersion(object: Pod | Job, wanted: string | undefined): void {
  if (wanted === undefined || wanted === object.metadata.resourceVersion) return;
  throw new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${object.kind === 'Job' ? 'jobs.batch' : 'pods'} "${object.metadata.name}": the object has been modified; please apply your changes to the latest version and try again`,
  );
}
