/**
 * DynamoDB and its streams behind the front door: every request is handed unchanged to DynamoDB Local, so that the
 * call log and the fault plan cover the tables too.
 *
 * @module
 */
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request as send } from 'node:http';
import { jsonError, parseJsonBody } from '../../kit/json-protocol.ts';
import { AwsError, type AwsRequest, type AwsResponse, type AwsService } from '../../kit/service.ts';

export interface DynamoDbTarget {
  host: string;
  port: number;
}

/** DynamoDB's own limit of a request. */
const BODY_LIMIT = 16 * 1024 * 1024;

const CONTENT_TYPE = 'application/x-amz-json-1.0';

/** These belong to one connection, not to the message. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'host', 'expect']);

export function createDynamoDbProxy(target: DynamoDbTarget): AwsService {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  return {
    names: ['dynamodb'],
    async prepare(request) {
      const name = String(request.headers['x-amz-target'] ?? '');
      const match = /^(?:DynamoDB|DynamoDBStreams)_20120810\.(\w+)$/.exec(name);
      if (match === null) throw new AwsError('UnknownOperationException', `unknown operation: ${name}`);
      const body = await request.bytes(BODY_LIMIT);
      return {
        operation: match[1] ?? '',
        subject: `${tablesOf(body).join(',')}${keyOf(body)}`,
        run: () => forward(agent, target, request, body),
      };
    },
    renderError: (error) => jsonError(error, CONTENT_TYPE),
    close: async () => agent.destroy(),
  };
}

async function forward(agent: Agent, target: DynamoDbTarget, request: AwsRequest, body: Buffer): Promise<AwsResponse> {
  const query = request.query.size > 0 ? `?${request.query.toString()}` : '';
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = send({
      agent,
      host: target.host,
      port: target.port,
      method: request.method,
      path: request.path + query,
      headers: { ...endToEnd(request.headers), 'content-length': body.length },
    });
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
    outgoing.end(body);
  }).catch((error: Error) => {
    // The real service's word for its own trouble; the SDKs try again.
    throw new AwsError('InternalServerError', `DynamoDB Local does not answer: ${error.message}`, 500);
  });
  return { status: answer.statusCode ?? 500, headers: endToEnd(answer.headers), body: answer };
}

function endToEnd(headers: IncomingHttpHeaders): Record<string, string> {
  const kept = Object.entries(headers).filter(([name, value]) => !HOP_BY_HOP.has(name) && value !== undefined);
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
}

/** The tables a request names, sorted, each once; a body that cannot be read names none: DynamoDB will say why. */
function tablesOf(body: Buffer): string[] {
  let input: Record<string, unknown>;
  try {
    input = parseJsonBody(body);
  } catch {
    return [];
  }
  const names = new Set<string>();
  const add = (value: unknown) => {
    if (typeof value === 'string') names.add(value.replace(/^arn:.*?:table\/([^/]+).*$/, '$1'));
  };
  add(input.TableName);
  add(input.StreamArn);
  if (isObject(input.RequestItems)) for (const name of Object.keys(input.RequestItems)) add(name);
  if (Array.isArray(input.TransactItems)) {
    for (const item of input.TransactItems) {
      if (!isObject(item)) continue;
      for (const action of Object.values(item)) if (isObject(action)) add(action.TableName);
    }
  }
  return [...names].sort();
}

/** `/<key>` of the one item a request is about, by its `Key` or, when it puts one, its launch id. */
function keyOf(body: Buffer): string {
  try {
    const { Key, Item } = parseJsonBody(body);
    const key = isObject(Key) ? Object.values(Key) : isObject(Item) ? [Item.launch_id] : [];
    const names = key.flatMap((value) => (isObject(value) && typeof value.S === 'string' ? [value.S] : []));
    return names.length > 0 ? `/${names.join('/')}` : '';
  } catch {
    return '';
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
