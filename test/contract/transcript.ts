/**
 * Records what a service answers to the contract tests: operation, status, error code and the names of what came
 * back, never a value. Kept from a real account, it is what the stand-ins' fidelity is checked against.
 *
 * @module
 */
import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { XMLParser } from 'fast-xml-parser';
import { scrub } from './scrub.ts';

type Handler = SQSClient['config']['requestHandler'];

/** What the SDK's HTTP requests and responses have of use here. */
interface Request {
  method: string;
  hostname: string;
  path: string;
  headers: Record<string, string>;
  query?: Record<string, unknown>;
}
interface Response {
  statusCode: number;
  headers: Record<string, string>;
  body: AsyncIterable<Uint8Array>;
}

/** One attempt at one call, as a line of the transcript. */
export interface TranscriptLine {
  service: string;
  /** `X-Amz-Target` of the JSON services; method, path template and names in the query of the others. */
  operation: string;
  /** 0 when no answer came. */
  status: number;
  /** The service's error code, empty on success. */
  error: string;
  /** Paths of the members of the body: `Messages.Body`. */
  members: string[];
  /** Names of the headers, without those of the transport. */
  headers: string[];
}

/** Said by the network, not by the service. */
const TRANSPORT = new Set(
  'connection content-length date keep-alive transfer-encoding server vary x-amzn-trace-id x-amz-id-2'.split(' '),
);
const files = new Set<string>();

/**
 * @param testFile the test's path, whose name becomes part of the transcript's
 * @param requestHandler options of the SDK's own
 * @returns a handler for one client: the SDK's own, with the recording around it
 */
export function recordingHandler(
  directory: string,
  testFile: string,
  region: string,
  requestHandler: NonNullable<SQSClientConfig['requestHandler']> = {},
): Handler {
  const inner = new SQSClient({ region, requestHandler }).config.requestHandler;
  const test = basename(testFile).replace(/\.test\.ts$/, '');
  const record = (line: TranscriptLine) => {
    const file = join(directory, `${line.service}.${test}.jsonl`);
    if (!files.has(file)) {
      mkdirSync(directory, { recursive: true });
      rmSync(file, { force: true });
      files.add(file);
    }
    appendFileSync(file, `${scrub(JSON.stringify(line))}\n`);
  };
  return {
    destroy: () => inner.destroy?.(),
    async handle(request: Request, options) {
      const call = nameOf(request);
      try {
        const { response } = await inner.handle(request, options);
        record({ ...call, ...(await describe(call, response as Response)) });
        return { response };
      } catch (error) {
        record({ ...call, status: 0, error: (error as Error).name, members: [], headers: [] });
        throw error;
      }
    },
  };
}

/** The service by its signing name, and the operation without names of things. */
export function nameOf(request: Request): Pick<TranscriptLine, 'service' | 'operation'> {
  const header = (name: string) =>
    Object.entries(request.headers).find(([key]) => key.toLowerCase() === name)?.[1] ?? '';
  const signedAs = /Credential=[^,]*\/([^/,]+)\/aws4_request/.exec(header('authorization'))?.[1] ?? 'unknown';
  // S3 Control signs as S3.
  const service = header('x-amz-account-id') === '' ? signedAs : 's3control';
  const target = header('x-amz-target');
  if (target !== '') return { service, operation: target };
  const query = Object.entries(request.query ?? {})
    .map(([name, value]) => (name === 'x-id' ? `${name}=${String(value)}` : name))
    .sort();
  const path = service === 's3' ? s3Path(request) : request.path.split('/').slice(0, 3).join('/');
  return { service, operation: `${request.method} ${path}${query.length > 0 ? `?${query.join('&')}` : ''}` };
}

/** A bucket stands in the host's name on AWS and in the path where the host is an address. */
function s3Path({ hostname, path }: Pick<Request, 'hostname' | 'path'>): string {
  const segments = path.split('/').filter((segment) => segment !== '');
  if (!/^s3[.-]|^[\d.]+$|^localhost$/.test(hostname)) segments.unshift('bucket');
  if (segments.length === 0) return '/';
  return segments.length === 1 ? '/{bucket}' : '/{bucket}/{key}';
}

async function describe(
  call: { service: string; operation: string },
  response: Response,
): Promise<Pick<TranscriptLine, 'status' | 'error' | 'members' | 'headers'>> {
  const status = response.statusCode;
  const headers = Object.keys(response.headers)
    .map((name) => name.toLowerCase())
    .filter((name) => !TRANSPORT.has(name))
    .sort();
  // An object's own bytes say nothing of the service, and may be many.
  const isObject = call.service === 's3' && call.operation.includes('x-id=GetObject') && status < 300;
  const text = isObject ? '' : await takeBody(response);
  const members = text === '' ? {} : parse(text);
  return { status, error: status < 300 ? '' : errorCode(response, members), members: pathsOf(members), headers };
}

/** Reads the body and puts it back. */
async function takeBody(response: Response): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response.body) chunks.push(Buffer.from(chunk));
  const bytes = Buffer.concat(chunks);
  response.body = Readable.from([bytes], { objectMode: false });
  return bytes.toString('utf8');
}

const xml = new XMLParser({ ignoreAttributes: true, ignoreDeclaration: true, parseTagValue: false });

function parse(text: string): Record<string, unknown> {
  try {
    return (text.startsWith('<') ? xml.parse(text) : JSON.parse(text)) as Record<string, unknown>;
  } catch {
    return { unreadable: true };
  }
}

function errorCode(response: Response, members: Record<string, unknown>): string {
  const header = response.headers['x-amzn-errortype'];
  const type = header ?? members.__type ?? members.code ?? (members.Error as { Code?: string } | undefined)?.Code ?? '';
  return String(type).replace(/^.*#/, '').replace(/:.*$/, '');
}

/** Members whose own members are named by users. */
const MAPS = new Set(['tags', 'Tags', 'parameters', 'options', 'Item', 'Items']);

/** Every member once, sorted. Lists are not marked: XML does not tell a list of one from a member. */
export function pathsOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value) && value.length > 0) return unique(value.flatMap((one) => pathsOf(one, path)));
  const last = path.slice(path.lastIndexOf('.') + 1);
  const members = typeof value === 'object' && value !== null && !MAPS.has(last) ? Object.entries(value) : [];
  if (members.length === 0) return path === '' ? [] : [path];
  return unique(members.flatMap(([name, one]) => pathsOf(one, path === '' ? name : `${path}.${name}`)));
}

const unique = (paths: readonly string[]) => [...new Set(paths)].sort();
