/**
 * What a stand-in is to the front door: it names the operation of a request, then answers it. Everything about
 * faults, the call log and sockets is the front door's business.
 *
 * @module
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Duplex, Readable } from 'node:stream';

export interface AwsRequest {
  method: string;
  /** Path as sent, still percent-encoded, without the query. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  region: string;
  accessKeyId: string;
  /** Aborted when the caller hung up before it had its answer. */
  gone: AbortSignal;
  /** The raw body; may be read once, by `body` or by `bytes`. */
  body: Readable;
  /** Reads the whole body; refuses above `limit` bytes with RequestEntityTooLarge. */
  bytes(limit?: number): Promise<Buffer>;
}

export interface AwsResponse {
  status: number;
  headers?: Record<string, string>;
  body?: string | Buffer | Readable;
}

/** A call whose operation is known and whose effect has not happened yet. */
export interface PreparedCall {
  operation: string;
  /** What is acted on, for the call log and for fault rules: job name, bucket/key, queue, table. */
  subject: string;
  run(): Promise<AwsResponse>;
}

export interface AwsService {
  /** Signing names it answers to, such as `['s3']`. */
  names: readonly string[];
  /** Requests signed as another service's come to it where they have this header: on AWS its host's name tells. */
  signedAs?: { name: string; header: string };
  /** Paths of requests that come to it without a signature, such as a registry's; no other service gets those. */
  unsigned?: RegExp;
  /** Reads what it must to name the operation; throws AwsError for what it cannot understand. */
  prepare(request: AwsRequest): Promise<PreparedCall>;
  /** Takes over a connection that asks for another protocol; false: it is none of this service's. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  /** How it refuses one call too many, where the front door does not know: for the fault plan. */
  throttled?(): AwsError;
  /** Turns an error into the service's own wire form. */
  renderError(error: AwsError, request: AwsRequest): AwsResponse;
  /** Writes down what must survive, ends what it started. */
  close?(): Promise<void>;
}

/** An answer the real service gives too: its code, its words, its HTTP status. */
export class AwsError extends Error {
  override readonly name = 'AwsError';
  readonly code: string;
  readonly status: number;
  /** Further members of the error body. */
  readonly fields: Readonly<Record<string, string>>;

  constructor(code: string, message: string, status = 400, fields: Record<string, string> = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.fields = fields;
  }
}
