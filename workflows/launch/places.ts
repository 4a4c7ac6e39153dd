/**
 * Where things of a launch lie in S3.
 *
 * @module
 */

/** `s3://<bucket>/launches/<id>/<attempt>/`: plan and manifests of one attempt. */
export const attemptState = (bucket: string, launchId: string, attempt: number): string =>
  `${launchState(bucket, launchId)}attempts/${attempt}/`;

/** `s3://<bucket>/launches/<id>/`: claims and commits, which outlive an attempt. */
export const launchState = (bucket: string, launchId: string): string => `s3://${bucket}/launches/${launchId}/`;

/** The consumer a sheet was uploaded for: `s3://<bucket>/sheets/<consumer>/…`; undefined elsewhere. */
export function consumerOfUpload(bucket: string, configurationFile: string): string | undefined {
  const prefix = `s3://${bucket}/sheets/`;
  if (!configurationFile.startsWith(prefix)) return undefined;
  const [consumer, ...rest] = configurationFile.slice(prefix.length).split('/');
  return rest.length > 0 ? consumer : undefined;
}
