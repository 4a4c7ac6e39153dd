/**
 * What an S3 operation gets: the request, its bucket and key, and what all operations share.
 *
 * @module
 */
import type { AwsRequest, AwsResponse } from '../../kit/service.ts';
import type { Place } from '../ports.ts';
import type { Notifier } from './notifications.ts';
import type { S3Store } from './store.ts';

export interface S3Context {
  store: S3Store;
  place: Place;
  notifier: Notifier;
}

export interface S3Call {
  request: AwsRequest;
  bucket: string;
  key: string;
}

export type S3Operation = (context: S3Context, call: S3Call) => Promise<AwsResponse> | AwsResponse;
