/**
 * Errors of the S3 Control API that concern jobs.
 *
 * @module
 */
import { AwsError } from '../../kit/service.ts';

export const invalidRequest = (message: string) => new AwsError('InvalidRequest', message);

export const noSuchJob = () => new AwsError('NoSuchJobException', 'No such job', 404);

export const notImplemented = (what: string) =>
  new AwsError('NotImplemented', `the stand-in does not know ${what}`, 501);
