/**
 * The roles of the account, with their journal.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Kit } from '../../kit/front-door.ts';
import { type Journal, openJournal } from '../../kit/journal.ts';
import type { Place } from '../ports.ts';

export interface Role {
  path: string;
  name: string;
  id: string;
  arn: string;
  /** ISO 8601, whole seconds. */
  createDate: string;
  /** JSON. */
  trustPolicy: string;
  description?: string;
  /** Seconds. */
  maxSessionDuration: number;
}

type Entry = { op: 'role'; role: Role } | { op: 'end'; name: string };

/** IAM's ids are letters and digits, roles' begin with AROA. */
const ID_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export class RoleStore {
  readonly #kit: Kit;
  readonly #place: Place;
  /** By name in lower case: IAM tells no two names apart by case only. */
  readonly #roles = new Map<string, Role>();
  readonly #journal: Journal<Entry>;

  constructor(options: { kit: Kit; place: Place; directory: string }) {
    this.#kit = options.kit;
    this.#place = options.place;
    this.#journal = openJournal<Entry>({
      file: join(options.directory, 'roles.jsonl'),
      replay: (entry) => {
        if (entry.op === 'role') this.#roles.set(entry.role.name.toLowerCase(), entry.role);
        else this.#roles.delete(entry.name.toLowerCase());
      },
      snapshot: () => [...this.#roles.values()].map((role): Entry => ({ op: 'role', role })),
    });
  }

  find(name: string): Role | undefined {
    return this.#roles.get(name.toLowerCase());
  }

  list(): Role[] {
    return [...this.#roles.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  create(role: Pick<Role, 'path' | 'name' | 'trustPolicy' | 'description' | 'maxSessionDuration'>): Role {
    const made: Role = {
      ...role,
      id: `AROA${[...randomBytes(17)].map((byte) => ID_LETTERS[byte % ID_LETTERS.length]).join('')}`,
      arn: `arn:aws:iam::${this.#place.accountId}:role${role.path}${role.name}`,
      createDate: this.#kit.clock
        .date()
        .toISOString()
        .replace(/\.\d{3}Z$/, 'Z'),
    };
    this.#journal.append({ op: 'role', role: made });
    this.#roles.set(made.name.toLowerCase(), made);
    return made;
  }

  end(name: string): void {
    this.#journal.append({ op: 'end', name });
    this.#roles.delete(name.toLowerCase());
  }

  close(): void {
    this.#journal.close();
  }
}
