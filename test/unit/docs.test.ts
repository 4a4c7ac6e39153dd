/** What the documentation lists is what the code has, both ways. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { EXIT } from '../../jobs/exit-codes.ts';
import { readSettings, SETTINGS } from '../../lib/settings.ts';
import { tableDefinitions } from '../../lib/store/tables.ts';
import manifest from '../../package.json' with { type: 'json' };
import { ERROR_TYPES as COST_ERROR_TYPES } from '../../workflows/cost/model.ts';
import { CAUSE_NAMES, STUCK_REASONS } from '../../workflows/launch/causes.ts';
import {
  COMPUTE_SERVICES,
  ERROR_TYPES,
  JOB_ENVIRONMENT,
  LAUNCH_STATUSES,
  TRANSITIONS,
} from '../../workflows/launch/model.ts';
import { discoverPattern } from '../../workflows/launch/patterns.ts';
import { planLaunch } from '../../workflows/launch/plan-launch.ts';
import { CHECKS } from '../../workflows/launch/preflight.ts';
import { parseSheet } from '../../workflows/launch/sheet/parse.ts';
import schema from '../../workflows/launch/sheet/sheet.schema.json' with { type: 'json' };
import { ERROR_TYPES as RESTORE_ERROR_TYPES } from '../../workflows/restore/model.ts';
import { ERROR_TYPES as STORY_ERROR_TYPES } from '../../workflows/story/model.ts';
import { CANNOT, CONFORMANCE_POINTS, type ConformancePoint } from '../support/conformance-points.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PAGES = [
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
];

const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

/** The part of a page under one heading, up to the next of the same or a higher level. */
function section(page: string, heading: string): string {
  const level = /^#+/.exec(heading)?.[0].length ?? 1;
  const [, rest] = `\n${read(page)}`.split(`\n${heading}\n`);
  if (rest === undefined) throw new Error(`${page} has no ${heading}`);
  return rest.split(new RegExp(`^#{1,${level}} `, 'm'))[0] ?? '';
}

/** Cells of every row of every table, headers and rulers left out. */
function rows(text: string): string[][] {
  const lines = text.split('\n');
  return lines
    .filter((line, index) => line.startsWith('|') && !isRuler(line) && !isRuler(lines[index + 1] ?? ''))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
}

const isRuler = (line: string): boolean => /^\|[\s|:-]+\|$/.test(line);
const code = (cell: string | undefined): string[] =>
  [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
const blocks = (page: string, info: string): string[] =>
  [...read(page).matchAll(new RegExp(`^\`\`\`${info}\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, body = '']) => body);

const ALL_ERROR_TYPES = [...ERROR_TYPES, ...RESTORE_ERROR_TYPES, ...COST_ERROR_TYPES, ...STORY_ERROR_TYPES];

describe('errors.md', () => {
  it('has a section and a row for each error type, and no other', () => {
    const text = section('docs/errors.md', '## Error types');
    const headings = [...text.matchAll(/^### (\S+)$/gm)].map(([, name]) => name);
    const listed = rows(text).map(([type]) => /^\[(\w+)\]/.exec(type ?? '')?.[1]);

    expect(headings).toEqual(ALL_ERROR_TYPES);
    expect(listed).toEqual(ALL_ERROR_TYPES);
  });

  it.each(ALL_ERROR_TYPES)('says of %s when it comes, what is read, and what to do', (type) => {
    const text = section('docs/errors.md', `### ${type}`);

    expect(text).toMatch(/^When: /m);
    expect(text).toMatch(/^```text\n.+\n```$/m);
    expect(text).toMatch(/^Do: /m);
  });

  it('has every cause and every reason for not being placed, and no other', () => {
    const [causes = '', stuck = ''] = section('docs/errors.md', '## Causes').split('### Why a job cannot be placed');

    expect(rows(causes).map(([cause]) => code(cause)[0])).toEqual(CAUSE_NAMES);
    expect(rows(stuck).map(([reason]) => code(reason)[0])).toEqual(STUCK_REASONS.map((reason) => reason.code));
  });

  it('has the exit codes of stage and publish', () => {
    const listed = rows(section('docs/errors.md', '### Of `stage` and `publish`')).map(([number]) => Number(number));

    expect(listed).toEqual(Object.values(EXIT).toSorted((a, b) => a - b));
  });
});

describe('settings.md', () => {
  it('has name, variable and default of each setting, and no other', () => {
    const [table = ''] = read('docs/settings.md').split('```yaml');
    const listed = rows(table).map(([name, env, fallback]) => ({
      name: code(name)[0],
      env: code(env)[0],
      fallback: fallback === '(empty)' ? '' : code(fallback)[0],
    }));

    expect(sorted(listed)).toEqual(sorted(SETTINGS.map(({ name, env, fallback }) => ({ name, env, fallback }))));
  });

  it('shows a longhaul.yaml that can be read', () => {
    const [shown = ''] = blocks('docs/settings.md', 'yaml settings');
    const folder = mkdtempSync(join(tmpdir(), 'longhaul-docs-'));
    const file = join(folder, 'longhaul.yaml');
    writeFileSync(file, shown);
    onTestFinished(() => rmSync(folder, { recursive: true }));

    expect(readSettings({}, file)).toMatchObject({ temporalNamespace: 'genomics', pollSeconds: 60 });
  });

  it('has every LONGHAUL_ variable the code reads', () => {
    const page = read('docs/settings.md');
    const used = new Set(
      sources().flatMap((file) => [...read(file).matchAll(/env\.(LONGHAUL_\w+)/g)].map(([, name = '']) => name)),
    );
    // Between a script and its own child.
    used.delete('LONGHAUL_LANE_SUMMARY');

    expect([...used].filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });
});

const sorted = <T extends { name?: string | undefined }>(list: readonly T[]): T[] =>
  list.toSorted((a, b) => (a.name ?? '').localeCompare(b.name ?? ''));

function sources(): string[] {
  const folders = ['activities', 'clients', 'infra', 'jobs', 'lib', 'scripts', 'workers', 'workflows', 'test/contract'];
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|mjs)$/.test(name))
      .map((name) => `${folder}/${name}`),
  );
}

/** What the API server calls what the client's methods do. */
const VERBS: Readonly<Record<string, string>> = { read: 'get', replace: 'update' };
const RESOURCES: Readonly<Record<string, string>> = { Job: 'jobs', Pod: 'pods', PodLog: 'pods/log' };

describe('compute.md', () => {
  it('says of each point of conformance which service keeps it, and why one does not', () => {
    const text = section('docs/compute.md', '## Conformance');
    const header = text.split('\n').find((line) => line.startsWith('| point '));
    const expected = Object.entries(CONFORMANCE_POINTS).map(([point, what]) => [
      `\`${point}\``,
      what,
      ...COMPUTE_SERVICES.map((service) => CANNOT[service][point as ConformancePoint] ?? 'yes'),
    ]);

    expect(code(header)).toEqual([...COMPUTE_SERVICES]);
    expect(rows(text)).toEqual(expected);
  });

  it('has every service, with a section, and with settings that exist', () => {
    const [table = ''] = read('docs/compute.md').split('## Conformance');
    const listed = rows(table);

    expect(listed.flatMap(([service]) => code(service))).toEqual([...COMPUTE_SERVICES]);
    expect(SETTINGS.map(({ name }) => name)).toEqual(
      expect.arrayContaining(listed.flatMap(([, , where, settings]) => [...code(where), ...code(settings)])),
    );
    for (const service of COMPUTE_SERVICES) expect(section('docs/compute.md', `## ${service}`)).not.toBe('');
  });

  it('lets the worker call of Kubernetes what it calls, and nothing else', () => {
    const files = sources().filter((file) =>
      /^(activities\/launch\/compute\/eks|lib\/launch\/kubernetes\/)/.test(file),
    );
    const calls = files.flatMap((file) => [...read(file).matchAll(/\.([a-z]+)Namespaced(\w+)\(/g)]);
    const called = calls.map(([, verb = '', kind = '']) => `${VERBS[verb] ?? verb} ${RESOURCES[kind] ?? kind}`);
    const role = blocks('docs/compute.md', 'yaml')
      .flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as Role))
      .find(({ kind }) => kind === 'Role');
    const allowed = role?.rules?.flatMap(({ resources, verbs }) =>
      resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`)),
    );

    expect(allowed?.toSorted()).toEqual([...new Set(called)].toSorted());
  });
});

interface Role {
  kind: string;
  rules?: { resources: string[]; verbs: string[] }[];
}

describe('dependencies.md', () => {
  it.each([
    ['## At run time', manifest.dependencies],
    ['## For development', manifest.devDependencies],
  ])('lists %s exactly what package.json has', (heading, packages) => {
    const listed = rows(section('docs/dependencies.md', heading));

    expect(listed.flatMap(([name]) => code(name))).toEqual(Object.keys(packages));
    expect(listed.filter(([, why]) => !why)).toEqual([]);
  });
});

describe('preflight.md', () => {
  it('has every check, in its order, and no other', () => {
    const listed = rows(section('docs/preflight.md', '## The checks')).flatMap(([name]) => code(name));

    expect(listed).toEqual([...CHECKS]);
  });
});

describe('data.md', () => {
  it('has every table and index with its keys, and no other', () => {
    const defined = tableDefinitions('').flatMap(({ TableName, KeySchema, GlobalSecondaryIndexes }) => [
      [TableName, '', ...(KeySchema ?? []).map((key) => key.AttributeName)].join(' '),
      ...(GlobalSecondaryIndexes ?? []).map((index) =>
        [TableName, index.IndexName, ...(index.KeySchema ?? []).map((key) => key.AttributeName)].join(' '),
      ),
    ]);
    const [text = ''] = section('docs/data.md', '## DynamoDB').split('### ');
    let table = '';
    const listed = rows(text).map(([name, hash, range, index, keys]) => {
      table = code(name)[0] ?? table;
      return code(index).length > 0
        ? [table, ...code(index), ...code(keys)].join(' ')
        : [table, '', ...code(hash), ...code(range)].join(' ');
    });

    expect(listed.toSorted()).toEqual(defined.toSorted());
  });
});

interface SchemaNode {
  $ref?: string;
  properties?: Record<string, SchemaNode>;
  additionalProperties?: boolean | SchemaNode;
  items?: SchemaNode;
  oneOf?: SchemaNode[];
  required?: string[];
}

const defs: Readonly<Record<string, unknown>> = schema.$defs;

/** Named fields below a node: `steps.<>.inputs.<>.from`, and whether each is required. */
function fieldsOf(node: SchemaNode, path: string): [string, boolean][] {
  if (node.$ref !== undefined) return fieldsOf(defs[node.$ref.replace('#/$defs/', '')] as SchemaNode, path);
  const join = (name: string) => (path === '' ? name : `${path}.${name}`);
  const named = Object.entries(node.properties ?? {}).flatMap(([name, child]): [string, boolean][] => [
    [join(name), node.required?.includes(name) ?? false],
    ...fieldsOf(child, join(name)),
  ]);
  const any = typeof node.additionalProperties === 'object' ? fieldsOf(node.additionalProperties, join('<>')) : [];
  const items = node.items ? fieldsOf(node.items, `${path}[]`) : [];
  return [...named, ...any, ...items, ...(node.oneOf ?? []).flatMap((branch) => fieldsOf(branch, path))];
}

describe('launch.md', () => {
  it('has every field of the schema, says which are required, and has no other', () => {
    const listed = rows(section('docs/launch.md', '## Every field')).map(([field, , required]) => [
      code(field)[0]?.replaceAll(/<\w+>/g, '<>'),
      required === 'yes',
    ]);

    expect(listed).toEqual(fieldsOf(schema as unknown as SchemaNode, ''));
  });

  it('has the statuses and what may follow each', () => {
    const [statuses = '', transitions = ''] = section('docs/launch.md', '## Statuses').split('| from | to |');
    const expected = Object.entries(TRANSITIONS).map(([from, to]) => [
      from === 'undefined' ? '–' : from,
      to.join(', ') || '–',
    ]);

    expect(rows(statuses).map(([status]) => status)).toEqual([...LAUNCH_STATUSES]);
    expect(rows(`| from | to |${transitions}`)).toEqual(expected);
  });
});

describe('sheets in the documentation', () => {
  const marked = PAGES.flatMap((page) =>
    blocks(page, 'yaml sheet').map((text, index) => [`${page} ${index + 1}`, text]),
  );
  // A page that is shown on the web may want a plain `yaml` block.
  const plain = PAGES.flatMap((page) =>
    blocks(page, 'yaml')
      .filter((text) => text.includes('apiVersion: longhaul/'))
      .map((text, index) => [`${page} plain ${index + 1}`, text]),
  );

  it('are there', () => expect(marked.length).toBeGreaterThanOrEqual(2));

  it.each([...marked, ...plain] as [string, string][])('%s can be launched', (name, text) => {
    const { sheet } = parseSheet(text, name);
    const discovered = Object.entries(sheet.scatter ?? {}).flatMap(([dimension, source]) =>
      Array.isArray(source) ? [] : [[dimension, discoverPattern(source.discover) ? ['a', 'b'] : []]],
    );
    const planned = planLaunch(sheet, {
      launchId: sheet.launchId ?? 'derived',
      attempt: 1,
      computeService: 'batch',
      defaultResultsPath: 's3://longhaul/results/',
      discovered: Object.fromEntries(discovered) as Record<string, string[]>,
    });

    expect(planned).not.toHaveProperty('problems');
  });
});

describe('job-contract.md', () => {
  it('has every variable of the contract', () => {
    const listed = rows(section('docs/job-contract.md', '## Environment variables')).flatMap(([name]) => code(name));

    expect(listed).toEqual(expect.arrayContaining(Object.values(JOB_ENVIRONMENT)));
  });
});

/** As GitHub makes an anchor of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');

describe.each(PAGES)('%s', (page) => {
  const text = read(page);

  it('links to what is there', () => {
    const dead = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => {
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? join(ROOT, page) : join(ROOT, dirname(page), path);
        if (!existsSync(file)) return true;
        if (anchor === undefined) return false;
        const headings = [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
          anchorOf(title),
        );
        return !headings.includes(anchor);
      });

    expect(dead).toEqual([]);
  });

  it('names only npm scripts that exist', () => {
    const named = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name);

    expect(named.filter((name) => !Object.hasOwn(manifest.scripts, name))).toEqual([]);
  });

  it('names no place on a machine', () => {
    expect(text).not.toMatch(/(?<![\w.])\/(home|root|Users|work)\/|[A-Z]:\\/);
  });
});
