/** The order of test files: what is named is there, and comes first. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { LONG } from '../longest-first.ts';

const TESTS = resolve(import.meta.dirname, '..');

it.each(Object.keys(LONG))('%s is there', (name) => {
  expect(existsSync(resolve(TESTS, `${name}.test.ts`))).toBe(true);
});
