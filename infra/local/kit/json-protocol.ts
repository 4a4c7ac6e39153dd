/**
 * The awsJson 1.0 / 1.1 protocols (SQS, EventBridge, CloudWatch Logs) and restJson errors (Batch), as Smithy
 * specifies them.
 *
 * @module
 */
import { AwsError, type AwsRequest, type AwsResponse, type AwsService } from './service.ts';

type Json = Record<string, unknown>;

/** One operation: takes the parsed input, returns the output. */
export interface JsonOperation {
  /** The name of what is acted on, for the call log. */
  subject?(input: Json): string;
  run(input: Json, request: AwsRequest): Promise<Json> | Json;
}

/** Requests above this size are refused; the JSON services' own limits are all far below. */
const BODY_LIMIT = 4 * 1024 * 1024;

/** A service of the awsJson protocol: `X-Amz-Target: <prefix>.<Operation>`. */
export function jsonService(options: {
  names: readonly string[];
  version: '1.0' | '1.1';
  operations: Readonly<Record<string, JsonOperation>>;
  close?(): Promise<void>;
}): AwsService {
  const contentType = `application/x-amz-json-${options.version}`;
  return {
    names: options.names,
    async prepare(request) {
      const target = String(request.headers['x-amz-target'] ?? '');
      const name = target.slice(target.lastIndexOf('.') + 1);
      const operation = Object.hasOwn(options.operations, name) ? options.operations[name] : undefined;
      if (operation === undefined) throw new AwsError('UnknownOperationException', `unknown operation: ${target}`);
      const input = parseJsonBody(await request.bytes(BODY_LIMIT));
      return {
        operation: name,
        subject: operation.subject?.(input) ?? '',
        run: async () => ({
          status: 200,
          headers: { 'content-type': contentType },
          body: JSON.stringify(await operation.run(input, request)),
        }),
      };
    },
    renderError: (error) => jsonError(error, contentType),
    ...(options.close && { close: options.close }),
  };
}

/** An empty body is an empty input; anything but a JSON object is refused. */
export function parseJsonBody(bytes: Buffer): Json {
  if (bytes.length === 0) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new AwsError('SerializationException', 'the body is not valid JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new AwsError('SerializationException', 'the body must be a JSON object');
  }
  return parsed as Json;
}

/** `x-amzn-errortype` and `__type` both carry the code: the SDKs read either. */
export function jsonError(error: AwsError, contentType = 'application/json'): AwsResponse {
  return {
    status: error.status,
    headers: { 'content-type': contentType, 'x-amzn-errortype': error.code },
    body: JSON.stringify({ __type: error.code, message: error.message, ...error.fields }),
  };
}
