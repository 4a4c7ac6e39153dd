/**
 * DescribeClusterVersions: which Kubernetes versions EKS runs, and until when it supports each of them for nothing, and
 * for more money.
 *
 * @module
 */
import type { Clock } from '../../kit/clock.ts';
import { AwsError } from '../../kit/service.ts';
import calendar from './versions.json' with { type: 'json' };

type Json = Record<string, unknown>;

interface Term {
  released: string;
  standardUntil: string;
  extendedUntil: string;
}

const VERSIONS: Readonly<Record<string, Term>> = calendar.versions;
const STATUSES = ['standard-support', 'extended-support', 'unsupported'] as const;
const MOST_RESULTS = 100;

const invalid = (message: string) => new AwsError('InvalidParameterException', message);

export const knowsVersion = (version: string): boolean => Object.hasOwn(VERSIONS, version);

export function describeClusterVersions(clock: Clock, query: URLSearchParams): Json {
  const asked = query.getAll('clusterVersions');
  const unknown = asked.find((version) => !knowsVersion(version));
  if (unknown !== undefined) throw invalid(`unsupported Kubernetes version ${unknown}`);
  const status = (query.get('versionStatus') ?? query.get('status') ?? '').toLowerCase().replaceAll('_', '-');
  if (status !== '' && !STATUSES.some((one) => one === status)) throw invalid(`unknown status ${status}`);
  const everything = query.get('includeAll') === 'true' || asked.length > 0 || status !== '';
  const found = Object.entries(VERSIONS)
    .map(([version, term]) => view(version, term, clock.now()))
    .filter(({ clusterVersion }) => asked.length === 0 || asked.includes(clusterVersion))
    .filter((one) => (status === '' ? everything || one.status !== 'unsupported' : one.status === status))
    .filter(({ defaultVersion }) => query.get('defaultOnly') !== 'true' || defaultVersion)
    .reverse();
  const size = Number(query.get('maxResults') ?? MOST_RESULTS);
  if (!(Number.isInteger(size) && size >= 1 && size <= MOST_RESULTS)) throw invalid('maxResults must be 1 to 100');
  const from = Number(Buffer.from(query.get('nextToken') ?? '', 'base64url').toString('utf8'));
  if (!Number.isInteger(from)) throw invalid('nextToken is not valid');
  const end = from + size;
  return {
    clusterVersions: found.slice(from, end),
    ...(end < found.length && { nextToken: Buffer.from(String(end)).toString('base64url') }),
  };
}

function view(clusterVersion: string, { released, standardUntil, extendedUntil }: Term, now: number) {
  const seconds = (date: string) => Date.parse(date) / 1000;
  const [standard, extended, unsupported] = STATUSES;
  const at = now / 1000;
  const status = at < seconds(standardUntil) ? standard : at < seconds(extendedUntil) ? extended : unsupported;
  return {
    clusterVersion,
    clusterType: 'eks',
    defaultVersion: clusterVersion === calendar.default,
    releaseDate: seconds(released),
    endOfStandardSupportDate: seconds(standardUntil),
    endOfExtendedSupportDate: seconds(extendedUntil),
    status,
    versionStatus: status.toUpperCase().replace('-', '_'),
  };
}
