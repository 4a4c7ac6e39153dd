/**
 * Settings: environment over longhaul.yaml over defaults, every mistake at once, no value in a message.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSettings, SETTINGS, SettingsError } from '../../lib/settings.ts';

let directory: string;
let file: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'longhaul-settings-'));
  file = join(directory, 'longhaul.yaml');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function read(env: Record<string, string>, yaml = '') {
  writeFileSync(file, yaml);
  return readSettings(env, file);
}

function refusal(env: Record<string, string>, yaml = ''): string[] {
  try {
    read(env, yaml);
  } catch (error) {
    if (error instanceof SettingsError) return error.message.split('\n');
    throw error;
  }
  throw new Error('the settings were accepted');
}

describe('where a setting comes from', () => {
  it('is its default, without anything', () => {
    const settings = readSettings({}, join(directory, 'none.yaml'));
    for (const { name, fallback } of SETTINGS) expect(String(settings[name])).toBe(fallback);
    expect(settings.pollSeconds).toBe(30);
  });

  it('is the file rather than the default, and the environment rather than the file', () => {
    const yaml = 'bucket: from-file\ntablePrefix: file-\npollSeconds: 7\n';
    const settings = read({ LONGHAUL_BUCKET: 'from-env', LONGHAUL_TABLE_PREFIX: '' }, yaml);
    expect(settings).toMatchObject({ bucket: 'from-env', tablePrefix: 'file-', pollSeconds: 7, logLevel: 'info' });
  });

  it('is the default where the file is empty', () => expect(read({}, '# nothing yet\n').bucket).toBe('longhaul'));

  it('has a variable and a meaning for each, none twice', () => {
    expect(new Set(SETTINGS.map(({ env }) => env)).size).toBe(SETTINGS.length);
    expect(new Set(SETTINGS.map(({ name }) => name)).size).toBe(SETTINGS.length);
    for (const { about } of SETTINGS) expect(about).not.toBe('');
  });
});

describe('what is wrong', () => {
  it('is named all at once: each variable, and each line of the file', () => {
    const yaml = 'bucket: Not A Bucket\nlogLevel: loud\nnonsense: 1\ntablePrefix: [a]\n';
    const lines = refusal({ TEMPORAL_ADDRESS: 'no port', LONGHAUL_POLL_SECONDS: '0' }, yaml);
    expect(lines.map((line) => line.replace(`${file}:`, 'file:').split(': ').slice(0, 2).join(': '))).toEqual([
      'file:3: there is no setting nonsense; there are',
      'file:4: tablePrefix',
      'TEMPORAL_ADDRESS: expected host:port',
      'file:1: bucket',
      'LONGHAUL_POLL_SECONDS: expected a whole number of seconds, 1 to 3600',
      'file:2: logLevel',
    ]);
  });

  it.each(SETTINGS.filter(({ check }) => check).map(({ env }) => env))('is named by its variable: %s', (env) => {
    const lines = refusal({ [env]: ' \n/' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(new RegExp(`^${env}: expected .+`));
  });

  it.each(['0', '3601', '1.5', '-1', 'x', '1e3'])('is %s seconds between looks', (value) => {
    expect(refusal({ LONGHAUL_POLL_SECONDS: value })).toHaveLength(1);
  });

  it('never shows the value: it may be a key', () => {
    const key = Buffer.alloc(31, 7).toString('base64');
    for (const text of [
      ...refusal({ LONGHAUL_PAYLOAD_KEY: key }),
      ...refusal({}, `payloadKey: ${key}\n`),
      ...refusal({}, `payloadKey: [${key}]\n`),
      ...refusal({}, `payloadKey: "x" ${key}\n`),
      ...refusal({}, `payloadKey: |${key}\n`),
    ])
      expect(text).not.toContain(key);
  });

  it('is a file that is no mapping, or no YAML, by its line', () => {
    expect(refusal({}, '- a\n')[0]).toContain(`${file}:1: expected a mapping`);
    expect(refusal({}, 'bucket: a-b-c\nlogLevel: [\n')[0]).toMatch(/longhaul\.yaml:[23]: not valid YAML/);
    expect(refusal({}, 'bucket: a-b-c\nbucket: a-b-c\n')[0]).toContain(`${file}:2: not valid YAML: duplicate key`);
  });
});
