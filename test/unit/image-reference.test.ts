/** Image references, read as Docker reads them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DOCKER_HUB,
  formatReference,
  type ImageReference,
  parseReference,
  pinReference,
} from '../../lib/images/reference.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

const component = fc.stringMatching(/^[a-z0-9]{1,6}((\.|_|__|-{1,2})[a-z0-9]{1,6}){0,2}$/);
const label = fc.stringMatching(/^[a-z0-9]{1,8}$/);
const host = fc
  .tuple(fc.array(label, { minLength: 2, maxLength: 3 }), fc.option(fc.integer({ min: 1, max: 65_535 })))
  .map(([labels, port]) => `${labels.join('.')}${port === null ? '' : `:${port}`}`)
  .filter((name) => name !== DOCKER_HUB && name !== `index.${DOCKER_HUB}`);
const tag = fc.stringMatching(/^\w[\w.-]{0,20}$/);
const digest = fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => `sha256:${hex}`);
const rest = fc.record({ tag, digest }, { requiredKeys: [] });
const path = fc.array(component, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));

it.each([
  ['tools', 'tools'],
  ['tools:1', 'tools'],
  ['registry.internal:5000/lab/tools', 'registry.internal:5000/lab/tools'],
  ['registry.internal:5000/lab/tools:1.2', 'registry.internal:5000/lab/tools'],
  [`lab/tools:1@sha256:${'b'.repeat(64)}`, 'lab/tools'],
])('%s is pinned by its digest', (text, name) => {
  const digest = `sha256:${'a'.repeat(64)}`;
  expect(pinReference(text, digest)).toBe(`${name}@${digest}`);
  expect(parseReference(pinReference(text, digest))).toMatchObject({ digest });
});

describe('a reference', () => {
  it.each<[string, ImageReference]>([
    ['ubuntu', { registry: DOCKER_HUB, repository: 'library/ubuntu' }],
    ['ubuntu:22.04', { registry: DOCKER_HUB, repository: 'library/ubuntu', tag: '22.04' }],
    ['library/ubuntu', { registry: DOCKER_HUB, repository: 'library/ubuntu' }],
    ['docker.io/ubuntu', { registry: DOCKER_HUB, repository: 'library/ubuntu' }],
    ['index.docker.io/lab/tools:1', { registry: DOCKER_HUB, repository: 'lab/tools', tag: '1' }],
    ['lab/tools', { registry: DOCKER_HUB, repository: 'lab/tools' }],
    [
      'quay.io/biocontainers/bwa:0.7.17--h5bf99c6_8',
      { registry: 'quay.io', repository: 'biocontainers/bwa', tag: '0.7.17--h5bf99c6_8' },
    ],
    ['registry:5000/tools', { registry: 'registry:5000', repository: 'tools' }],
    ['localhost/tools:1', { registry: 'localhost', repository: 'tools', tag: '1' }],
    ['[::1]:5000/tools', { registry: '[::1]:5000', repository: 'tools' }],
    ['tools@'.concat(DIGEST), { registry: DOCKER_HUB, repository: 'library/tools', digest: DIGEST }],
    [`a.test/tools:1@${DIGEST}`, { registry: 'a.test', repository: 'tools', tag: '1', digest: DIGEST }],
    [
      '123456789012.dkr.ecr.eu-central-1.amazonaws.com/longhaul-jobs:0.1.0',
      { registry: '123456789012.dkr.ecr.eu-central-1.amazonaws.com', repository: 'longhaul-jobs', tag: '0.1.0' },
    ],
  ])('%s is read', (text, expected) => expect(parseReference(text)).toEqual(expected));

  it.each([
    '',
    ':1',
    'Tools',
    'lab/Tools:1',
    'tools:',
    'tools:-1',
    `tools:${'x'.repeat(129)}`,
    'tools@sha256:abc',
    `tools@${DIGEST}0`,
    `tools@md5:${'0'.repeat(32)}`,
    'a//b',
    '/a',
    'a/',
    'a.test/',
    'a.test:port/b',
    '-a.test/b',
    'a b',
    'a..b',
    'https://a.test/b',
    'a/../b',
    `a.test/${'x/'.repeat(130)}x`,
  ])('%j is refused', (text) => expect(parseReference(text)).toBeUndefined());

  it('is read back as it was written out in full', () => {
    fc.assert(
      fc.property(host, path, rest, (registry, repository, more) => {
        const reference = { registry, repository, ...more };
        expect(parseReference(formatReference(reference))).toEqual(reference);
      }),
    );
  });

  it("is Docker Hub's without a registry, under library/ when it has one part", () => {
    fc.assert(
      fc.property(path, rest, (repository, more) => {
        fc.pre(!/^[^/]*[.:][^/]*\//.test(repository) && !repository.startsWith('localhost/'));
        const written = formatReference({ registry: 'x', repository, ...more }).slice('x/'.length);
        const full = repository.includes('/') ? repository : `library/${repository}`;
        expect(parseReference(written)).toEqual({ registry: DOCKER_HUB, repository: full, ...more });
      }),
    );
  });

  it('is never read from a text in which a URL could lead elsewhere', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab0Z.:/@-_%?#[]\\ '), maxLength: 20 }), (text) => {
        const reference = parseReference(text);
        if (!reference) return;
        const url = new URL(`/v2/${reference.repository}/manifests/${reference.tag ?? 'latest'}`, 'https://a.test');
        expect(url.pathname).toBe(`/v2/${reference.repository}/manifests/${reference.tag ?? 'latest'}`);
        // Nobody is asked where a URL cannot be made of it: resolve.ts.
        const address = `https://${reference.registry}`;
        if (URL.canParse(address)) expect(new URL(address).pathname).toBe('/');
      }),
      { numRuns: 5000 },
    );
  });
});
