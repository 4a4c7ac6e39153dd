/**
 * Tables for tests of the stores. Apart from dynamodb.ts, which programs outside of tests use too.
 *
 * @module
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { tableNames } from '../../lib/store/tables.ts';
import { openDynamoDb, type Tables } from './dynamodb.ts';

export interface FreshTables extends Pick<Tables, 'client' | 'kit' | 'create'> {
  /** Of the tables of this test: nobody else has used them. */
  readonly prefix: string;
  readonly names: ReturnType<typeof tableNames>;
}

/** DynamoDB Local for a file of tests; each test has tables of its own, and no test may have scanned any. */
export function freshTables(): FreshTables {
  let opened: Tables;
  let nth = 0;
  beforeAll(async () => {
    opened = await openDynamoDb();
  });
  afterAll(() => opened?.close());
  const fresh: FreshTables = {
    get client() {
      return opened.client;
    },
    get kit() {
      return opened.kit;
    },
    get prefix() {
      return `t${nth}-`;
    },
    get names() {
      return tableNames(fresh.prefix);
    },
    create: (prefix) => opened.create(prefix),
  };
  beforeEach(async () => {
    nth += 1;
    await opened.create(fresh.prefix);
  });
  afterEach(() => {
    expect(opened.kit.calls.list({ operation: 'Scan' })).toEqual([]);
  });
  return fresh;
}
