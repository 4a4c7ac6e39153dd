/**
 * The request quotas of AWS that are shared by everything in an account and Region, as AWS publishes them.
 *
 * @module
 */

export interface Quota {
  /** The SDK's service id, which a client says of itself. */
  serviceId: string;
  /** The service's prefix in IAM actions. */
  service: string;
  api: string;
  /** Calls a second, for each account and Region. */
  perSecond: number;
  /** What of it is used; {@link DEFAULT_SHARE} where nothing else stands. */
  share?: number;
  /** Regions with another number. */
  regions?: Readonly<Record<string, number>>;
}

/** What of a published quota is used: the rest is for the console, other tools, and calls that arrive bunched. */
export const DEFAULT_SHARE = 0.8;

/** An operation is paced when it stands here and its client went through `paced`. */
export const QUOTAS: readonly Quota[] = [
  // "Maximum number of transactions per second (TPS) for each account for SubmitJob operations: 50"; not adjustable:
  // https://docs.aws.amazon.com/batch/latest/userguide/service_limits.html
  { serviceId: 'Batch', service: 'batch', api: 'SubmitJob', perSecond: 50 },
  // "GetLogEvents throttle limit in transactions per second", and the same of FilterLogEvents; not adjustable:
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
  {
    serviceId: 'CloudWatch Logs',
    service: 'logs',
    api: 'GetLogEvents',
    perSecond: 25,
    regions: {
      'us-west-2': 10,
      'ap-northeast-3': 10,
      'ap-southeast-3': 10,
      'ca-west-1': 10,
      'eu-central-1': 10,
      'eu-west-1': 10,
      'eu-west-3': 30,
      'il-central-1': 10,
    },
  },
  {
    serviceId: 'CloudWatch Logs',
    service: 'logs',
    api: 'FilterLogEvents',
    perSecond: 10,
    regions: {
      'us-east-1': 25,
      'ap-northeast-3': 5,
      'ap-southeast-3': 5,
      'ca-west-1': 5,
      'eu-central-1': 5,
      'il-central-1': 5,
    },
  },
  // "Amazon S3 supports restore requests at a rate of up to 1,000 transactions per second, per AWS account" for S3
  // Glacier Flexible Retrieval and Deep Archive.
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects.html
  // Hardly anything else makes these calls, so more of it is used.
  { serviceId: 'S3', service: 's3', api: 'RestoreObject', perSecond: 1000, share: 0.95 },
  // "Neural voice: 8 tps with a burst limit of 10 tps"; long-form the same, standard ten times that. One number for all of
  // them: which voice it is does not show in the call's name, and a story is spoken in a few calls.
  // https://docs.aws.amazon.com/polly/latest/dg/limits.html
  { serviceId: 'Polly', service: 'polly', api: 'SynthesizeSpeech', perSecond: 8 },
];

/** What the pacer keeps apart. */
export interface PacedQuota {
  /** `<account>/<region>/<service>:<Api>` */
  key: string;
  /** Calls a second that are never exceeded. */
  ceiling: number;
}

/** One quota where it applies. */
export function pacedQuota(quota: Quota, account: string, region: string): PacedQuota {
  return {
    key: `${account}/${region}/${quota.service}:${quota.api}`,
    ceiling: (quota.regions?.[region] ?? quota.perSecond) * (quota.share ?? DEFAULT_SHARE),
  };
}
