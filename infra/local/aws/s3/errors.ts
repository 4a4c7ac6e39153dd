/**
 * S3's errors, with its codes and words; some carry headers or further XML members.
 *
 * @module
 */
import { AwsError } from '../../kit/service.ts';

export class S3Error extends AwsError {
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: string,
    message: string,
    status = 400,
    more: { fields?: Record<string, string>; headers?: Record<string, string> } = {},
  ) {
    super(code, message, status, more.fields);
    this.headers = more.headers ?? {};
  }
}

export const noSuchBucket = (BucketName: string) =>
  new S3Error('NoSuchBucket', 'The specified bucket does not exist', 404, { fields: { BucketName } });

export const noSuchKey = (Key: string, headers: Record<string, string> = {}) =>
  new S3Error('NoSuchKey', 'The specified key does not exist.', 404, { fields: { Key }, headers });

export const noSuchVersion = (Key: string, VersionId: string) =>
  new S3Error('NoSuchVersion', 'The specified version does not exist.', 404, { fields: { Key, VersionId } });

export const noSuchUpload = (UploadId: string) =>
  new S3Error(
    'NoSuchUpload',
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    404,
    { fields: { UploadId } },
  );

export const preconditionFailed = (Condition: string) =>
  new S3Error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412, {
    fields: { Condition },
  });

export const invalidArgument = (message: string, ArgumentName: string, ArgumentValue: string) =>
  new S3Error('InvalidArgument', message, 400, { fields: { ArgumentName, ArgumentValue } });

export const invalidRequest = (message: string) => new S3Error('InvalidRequest', message);

export const malformedXml = () =>
  new S3Error(
    'MalformedXML',
    'The XML you provided was not well-formed or did not validate against our published schema',
  );

export const notImplemented = (Header: string) =>
  new S3Error('NotImplemented', 'A header you provided implies functionality that is not implemented', 501, {
    fields: { Header },
  });

export const badDigest = (what: string) =>
  new S3Error('BadDigest', `The ${what} you specified did not match what we received.`);

export const tooLarge = (ProposedSize: number, MaxSizeAllowed: number) =>
  new S3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', 400, {
    fields: { ProposedSize: String(ProposedSize), MaxSizeAllowed: String(MaxSizeAllowed) },
  });
