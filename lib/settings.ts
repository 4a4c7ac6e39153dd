/**
 * Settings: environment variables over one `longhaul.yaml`, over defaults. Everything the AWS SDK and Temporal read
 * by themselves (`AWS_REGION`, `AWS_ENDPOINT_URL`, credentials, ...) stays theirs.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { isMap, LineCounter, parseDocument } from 'yaml';

export interface Settings {
  temporalAddress: string;
  temporalNamespace: string;
  /** Address of the Temporal Web UI, for links. */
  temporalUi: string;
  /** 32 bytes in base64; empty: payloads are not encrypted. */
  payloadKey: string;
  bucket: string;
  tablePrefix: string;
  eventsQueue: string;
  restoresQueue: string;
  progressQueue: string;
  computeService: string;
  batchQueue: string;
  headQueue: string;
  jobImage: string;
  /** Empty: this worker has no compute service eks. */
  eksCluster: string;
  /** Empty: the current context of the kubeconfig, or the cluster this runs in. */
  eksContext: string;
  eksNamespace: string;
  eksServiceAccount: string;
  /** Pods of one array at a time. */
  eksParallelism: number;
  /** Empty: images without a registry are looked for on Docker Hub itself. */
  imageRegistry: string;
  jobRole: string;
  executionRole: string;
  /** Of services whose jobs are one process. */
  jobLogGroup: string;
  jobRuntime: string;
  jobVariables: string;
  /** `local`: this machine has Slurm's programs; empty: there is no service slurm. */
  slurmHost: string;
  slurmUser: string;
  slurmCluster: string;
  slurmPartition: string;
  slurmAccount: string;
  slurmJobs: string;
  slurmScratch: string;
  /** Empty: there is no service ec2. */
  ec2Image: string;
  ec2InstanceTypes: string;
  ec2Subnets: string;
  ec2SecurityGroups: string;
  ec2InstanceProfile: string;
  ec2Market: string;
  /** Of one job at a time. */
  ec2MaxInstances: number;
  ec2MaxHours: number;
  ec2VolumeGiB: number;
  ec2Jobs: string;
  ec2Scratch: string;
  pollSeconds: number;
  /** 0: as often as the time a restore takes asks for. */
  restorePollSeconds: number;
  /** Empty: every object is asked for by a request of its own. */
  restoreBatchRole: string;
  /** From so many objects on a restore goes through S3 Batch Operations, where it has a role. */
  restoreBatchObjects: number;
  /** Path or s3:// address of the user's own rates; empty: prices are AWS's. */
  costRates: string;
  /** Empty: the estimate by list prices is all there is. */
  costActuals: string;
  costActualsHours: number;
  /** Where the gateway listens; anything but loopback needs tokens. */
  gatewayHost: string;
  /** 0: any free one. */
  gatewayPort: number;
  gatewayAuth: string;
  gatewayIssuer: string;
  gatewayAudience: string;
  /** `https://` address, or path of a file. */
  gatewayJwks: string;
  gatewayConsumersClaim: string;
  gatewayRoleClaim: string;
  gatewayOrigins: string;
  /** Shared by our own processes, which tell gateways of news with it; empty: gateways look by themselves only. */
  gatewayKey: string;
  gatewayAnonymous: string;
  /** Empty: no API of API Gateway stands before the gateway. */
  gatewayHosted: string;
  /** Of OpenAI; empty: there are no stories. Its address is OPENAI_BASE_URL, which the client reads itself. */
  openaiKey: string;
  storyTextModel: string;
  storyImageModel: string;
  storyModerationModel: string;
  storyImageSize: string;
  storyImageQuality: string;
  /** With which links to stories are signed; empty: there are no links, and no mail. */
  storyLinkKey: string;
  /** Where readers reach the gateway. */
  storyUrl: string;
  /** Name of the event bus that gets StoryCreated. */
  storyBus: string;
  logLevel: string;
  /** Non-empty: the workers take part in worker versioning under this build id. */
  buildId: string;
}

interface Setting {
  name: keyof Settings;
  env: string;
  fallback: string;
  about: string;
  /** @returns what was expected, when the value is not it */
  check?(value: string): string | undefined;
}

const oneOf =
  (...known: string[]) =>
  (value: string) =>
    known.includes(value) ? undefined : `one of ${known.join(', ')}`;
const matches = (pattern: RegExp, words: string) => (value: string) => (pattern.test(value) ? undefined : words);

const wholeNumber =
  (least: number, most: number, unit = 'from ') =>
  (value: string) =>
    /^\d{1,9}$/.test(value) && Number(value) >= least && Number(value) <= most
      ? undefined
      : `a whole number ${unit}${least} to ${most}`;
const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const MODEL = /^[\w.:-]{1,100}$/;
/** All others are texts. */
const NUMBERS: ReadonlySet<keyof Settings> = new Set([
  'pollSeconds',
  'restorePollSeconds',
  'restoreBatchObjects',
  'eksParallelism',
  'ec2MaxInstances',
  'ec2MaxHours',
  'ec2VolumeGiB',
  'costActualsHours',
  'gatewayPort',
]);

const REGISTRY_ADDRESS = 'https://host[:port], or http://127.0.0.1[:port]';

/** What is sent there is signed or private: in the clear to this machine only. */
function isAddress(value: string, pattern: RegExp): boolean {
  if (!pattern.test(value) || !URL.canParse(value)) return false;
  const { protocol, hostname } = new URL(value);
  return protocol === 'https:' || ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
}

/** Without a path: the distribution API begins at the root. */
const isRegistryAddress = (value: string) => isAddress(value, /^https?:\/\/[^\s/?#@]+\/?$/);
/** The path is the stage. */
const isStageAddress = (value: string) => isAddress(value, /^https?:\/\/[^\s?#@]+\/[^\s?#@]+$/);

/** Every setting; docs/settings.md lists the same and a test keeps them equal. */
export const SETTINGS: readonly Setting[] = [
  {
    name: 'temporalAddress',
    env: 'TEMPORAL_ADDRESS',
    fallback: '127.0.0.1:7233',
    about: 'host:port of the Temporal server',
    check: matches(/^[^\s:]+:\d{1,5}$/, 'host:port'),
  },
  {
    name: 'temporalNamespace',
    env: 'TEMPORAL_NAMESPACE',
    fallback: 'default',
    about: 'Temporal namespace',
    check: matches(/^\S+$/, 'a name without spaces'),
  },
  {
    name: 'temporalUi',
    env: 'TEMPORAL_UI_URL',
    fallback: 'http://127.0.0.1:8233',
    about: 'address of the Temporal Web UI, for links',
    check: matches(/^https?:\/\/\S+$/, 'an http:// or https:// address'),
  },
  {
    name: 'payloadKey',
    env: 'LONGHAUL_PAYLOAD_KEY',
    fallback: '',
    about: 'turns payload encryption on: a key of 32 bytes in base64',
    check: (value) =>
      value === '' || Buffer.from(value, 'base64').length === 32
        ? undefined
        : 'a key of 32 bytes in base64 (openssl rand -base64 32)',
  },
  {
    name: 'bucket',
    env: 'LONGHAUL_BUCKET',
    fallback: 'longhaul',
    about: "Longhaul's own bucket: sheets, plans, commits, results",
    check: matches(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'the name of an S3 bucket'),
  },
  {
    name: 'tablePrefix',
    env: 'LONGHAUL_TABLE_PREFIX',
    fallback: '',
    about: 'put before the names of the DynamoDB tables',
    check: matches(/^[A-Za-z0-9_.-]{0,100}$/, 'letters, digits, _ . and -'),
  },
  {
    name: 'eventsQueue',
    env: 'LONGHAUL_EVENTS_QUEUE',
    fallback: 'longhaul-events',
    about: 'SQS queue of the events of S3 and Batch',
    check: matches(/^[A-Za-z0-9_-]{1,80}$/, 'the name of an SQS queue'),
  },
  {
    name: 'restoresQueue',
    env: 'LONGHAUL_RESTORES_QUEUE',
    fallback: 'longhaul-restores',
    about: 'SQS queue of the completions of restores',
    check: matches(/^[A-Za-z0-9_-]{1,80}$/, 'the name of an SQS queue'),
  },
  {
    name: 'progressQueue',
    env: 'LONGHAUL_PROGRESS_QUEUE',
    fallback: 'longhaul-progress',
    about: 'SQS queue of progress that comes over EventBridge',
    check: matches(/^[A-Za-z0-9_-]{1,80}$/, 'the name of an SQS queue'),
  },
  {
    name: 'computeService',
    env: 'LONGHAUL_COMPUTE_SERVICE',
    fallback: 'batch',
    about: 'compute service of sheets that name none',
    check: oneOf('batch', 'slurm', 'ec2', 'eks'),
  },
  {
    name: 'batchQueue',
    env: 'LONGHAUL_BATCH_QUEUE',
    fallback: 'longhaul',
    about: 'name or ARN of the AWS Batch job queue',
    check: matches(/^\S+$/, 'a name or an ARN'),
  },
  {
    name: 'headQueue',
    env: 'LONGHAUL_HEAD_QUEUE',
    fallback: '',
    about: 'job queue of head jobs, such as one of on-demand instances; batchQueue when empty',
    check: matches(/^\S*$/, 'a name or an ARN'),
  },
  {
    name: 'jobImage',
    env: 'LONGHAUL_JOB_IMAGE',
    fallback: 'longhaul/jobs:0.1.0',
    about: 'image of the containers that stage and publish data',
    check: matches(/^\S+$/, 'an image reference'),
  },
  {
    name: 'eksCluster',
    env: 'LONGHAUL_EKS_CLUSTER',
    fallback: '',
    about: 'turns the compute service eks on: the name of the cluster',
    check: matches(/^([A-Za-z0-9][A-Za-z0-9_-]{0,99})?$/, 'the name of a cluster'),
  },
  {
    name: 'eksContext',
    env: 'LONGHAUL_EKS_CONTEXT',
    fallback: '',
    about: 'context of the kubeconfig; the current one when empty',
    check: matches(/^\S*$/, 'a name without spaces'),
  },
  {
    name: 'eksNamespace',
    env: 'LONGHAUL_EKS_NAMESPACE',
    fallback: 'longhaul',
    about: 'namespace of the jobs, of this installation alone',
    check: matches(DNS_LABEL, 'the name of a namespace'),
  },
  {
    name: 'eksServiceAccount',
    env: 'LONGHAUL_EKS_SERVICE_ACCOUNT',
    fallback: 'longhaul-jobs',
    about: 'service account jobs run under: its role on AWS is theirs',
    check: matches(DNS_LABEL, 'the name of a service account'),
  },
  {
    name: 'eksParallelism',
    env: 'LONGHAUL_EKS_PARALLELISM',
    fallback: '500',
    about: 'pods of one array that may be there at a time',
    check: wholeNumber(1, 10_000),
  },
  {
    name: 'imageRegistry',
    env: 'LONGHAUL_IMAGE_REGISTRY',
    fallback: '',
    about: 'address of a registry mirror asked for images instead of Docker Hub',
    check: (value) => (value === '' || isRegistryAddress(value) ? undefined : REGISTRY_ADDRESS),
  },
  { name: 'jobRole', env: 'LONGHAUL_JOB_ROLE', fallback: '', about: 'ARN of the role jobs run under' },
  {
    name: 'executionRole',
    env: 'LONGHAUL_EXECUTION_ROLE',
    fallback: '',
    about: 'ARN of the role that pulls images and writes logs',
  },
  {
    name: 'jobLogGroup',
    env: 'LONGHAUL_JOB_LOG_GROUP',
    fallback: '/longhaul/jobs',
    about: 'log group of jobs of slurm and ec2',
    check: matches(/^[\w./#-]{1,512}$/, 'the name of a log group'),
  },
  {
    name: 'jobRuntime',
    env: 'LONGHAUL_JOB_RUNTIME',
    fallback: 'none',
    about: 'what runs the image of a job of slurm and ec2; none: its command runs as it is',
    check: oneOf('none', 'docker', 'apptainer'),
  },
  {
    name: 'jobVariables',
    env: 'LONGHAUL_JOB_VARIABLES',
    fallback: 'AWS_REGION',
    about: "the worker's own variables that the job program of slurm and ec2 gets, by their names",
    check: matches(/^(\w+(,\w+)*)?$/, 'names joined by commas'),
  },
  {
    name: 'slurmHost',
    env: 'LONGHAUL_SLURM_HOST',
    fallback: '',
    about: "host with Slurm's programs, reached by SSH; local: this machine",
    check: matches(/^([\w.:[\]][\w.:[\]-]*)?$/, 'a host name, or local'),
  },
  {
    name: 'slurmUser',
    env: 'LONGHAUL_SLURM_USER',
    fallback: '',
    about: 'user on that host',
    check: matches(/^([\w.][\w.-]*)?$/, 'the name of a user'),
  },
  {
    name: 'slurmCluster',
    env: 'LONGHAUL_SLURM_CLUSTER',
    fallback: 'slurm',
    about: 'a name for the cluster, in records of jobs',
    check: matches(/^[\w.-]+$/, 'letters, digits, _ . and -'),
  },
  {
    name: 'slurmPartition',
    env: 'LONGHAUL_SLURM_PARTITION',
    fallback: '',
    about: "partition of jobs; empty: the cluster's default",
    check: matches(/^[\w.,-]*$/, 'the name of a partition'),
  },
  {
    name: 'slurmAccount',
    env: 'LONGHAUL_SLURM_ACCOUNT',
    fallback: '',
    about: "account of jobs; empty: the user's default",
    check: matches(/^[\w.-]*$/, 'the name of an account'),
  },
  {
    name: 'slurmJobs',
    env: 'LONGHAUL_SLURM_JOBS',
    fallback: 'node /opt/longhaul/jobs.cjs',
    about: 'how the job program is started on the nodes',
    check: matches(/^.*\S.*$/, 'a command, on one line'),
  },
  {
    name: 'slurmScratch',
    env: 'LONGHAUL_SLURM_SCRATCH',
    fallback: '',
    about: 'folder on the nodes for the data of jobs; empty: TMPDIR there, else /tmp',
    check: matches(/^(\/[^\0\n]*)?$/, 'an absolute path'),
  },
  {
    name: 'ec2Image',
    env: 'LONGHAUL_EC2_IMAGE',
    fallback: '',
    about: 'turns the compute service ec2 on: the AMI of its instances, which has the job program',
    check: matches(/^(ami-[0-9a-f]{8,17})?$/, 'the id of an AMI'),
  },
  {
    name: 'ec2InstanceTypes',
    env: 'LONGHAUL_EC2_INSTANCE_TYPES',
    fallback: 'm7i,c7i,r7i',
    about: 'instance types or families a job may get, the smallest that holds it first',
    check: matches(/^[a-z][\w.-]*(,[a-z][\w.-]*)*$/, 'names of instance types or families joined by commas'),
  },
  {
    name: 'ec2Subnets',
    env: 'LONGHAUL_EC2_SUBNETS',
    fallback: '',
    about: "subnets of the instances, in the order they are tried; empty: the default VPC's",
    check: matches(/^(subnet-[0-9a-f]{8,17}(,subnet-[0-9a-f]{8,17})*)?$/, 'ids of subnets joined by commas'),
  },
  {
    name: 'ec2SecurityGroups',
    env: 'LONGHAUL_EC2_SECURITY_GROUPS',
    fallback: '',
    about: "security groups of the instances; empty: the VPC's default",
    check: matches(/^(sg-[0-9a-f]{8,17}(,sg-[0-9a-f]{8,17})*)?$/, 'ids of security groups joined by commas'),
  },
  {
    name: 'ec2InstanceProfile',
    env: 'LONGHAUL_EC2_INSTANCE_PROFILE',
    fallback: '',
    about: 'name or ARN of the instance profile jobs run under',
    check: matches(/^(arn:[\w:/+=,.@-]+|[\w+=,.@-]{0,128})$/, 'a name or an ARN'),
  },
  {
    name: 'ec2Market',
    env: 'LONGHAUL_EC2_MARKET',
    fallback: 'on-demand',
    about: 'how instances are bought; those of head jobs are always on-demand',
    check: oneOf('on-demand', 'spot'),
  },
  {
    name: 'ec2MaxInstances',
    env: 'LONGHAUL_EC2_MAX_INSTANCES',
    fallback: '20',
    about: 'instances one job may have at a time',
    check: wholeNumber(1, 1000),
  },
  {
    name: 'ec2MaxHours',
    env: 'LONGHAUL_EC2_MAX_HOURS',
    fallback: '72',
    about: 'hours after which an instance ends whatever it does; timeoutSeconds makes it less',
    check: wholeNumber(1, 1000),
  },
  {
    name: 'ec2VolumeGiB',
    env: 'LONGHAUL_EC2_VOLUME_GIB',
    fallback: '100',
    about: 'size in GiB of the root volume, on which the data of its items lies',
    check: wholeNumber(8, 16_384),
  },
  {
    name: 'ec2Jobs',
    env: 'LONGHAUL_EC2_JOBS',
    fallback: 'node /opt/longhaul/jobs.cjs',
    about: 'how the job program is started on the instances',
    check: matches(/^.*\S.*$/, 'a command, on one line'),
  },
  {
    name: 'ec2Scratch',
    env: 'LONGHAUL_EC2_SCRATCH',
    fallback: '',
    about: 'folder on the instances for the data of jobs; empty: /tmp',
    check: matches(/^(\/[^\0\n]*)?$/, 'an absolute path'),
  },
  {
    name: 'pollSeconds',
    env: 'LONGHAUL_POLL_SECONDS',
    fallback: '30',
    about: 'how often the poller looks at open jobs',
    check: wholeNumber(1, 3600, 'of seconds, '),
  },
  {
    name: 'restorePollSeconds',
    env: 'LONGHAUL_RESTORE_POLL_SECONDS',
    fallback: '0',
    about: 'how often a restore looks for what its events have missed; 0: as its expected time asks for',
    check: wholeNumber(0, 86_400, 'of seconds, '),
  },
  {
    name: 'restoreBatchRole',
    env: 'LONGHAUL_RESTORE_BATCH_ROLE',
    fallback: '',
    about: 'turns S3 Batch Operations on: ARN of the role its jobs run under',
    check: matches(/^(arn:\S+)?$/, 'the ARN of a role'),
  },
  {
    name: 'restoreBatchObjects',
    env: 'LONGHAUL_RESTORE_BATCH_OBJECTS',
    fallback: '1000000',
    about: 'restores of so many objects go through S3 Batch Operations, where it is on',
    check: wholeNumber(1, 50_000_000),
  },
  {
    name: 'costRates',
    env: 'LONGHAUL_COST_RATES',
    fallback: '',
    about: "path or s3:// address of the file of own rates, discounts and budgets; AWS's prices alone when empty",
    check: matches(/^(?!s3:)[^\0\n]*$|^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/.+$/, 'a path, or s3://bucket/key'),
  },
  {
    name: 'costActuals',
    env: 'LONGHAUL_COST_ACTUALS',
    fallback: '',
    about: 'where the bill is read, to compare it with what a launch should have cost; nowhere when empty',
    check: oneOf('', 'cost-explorer'),
  },
  {
    name: 'costActualsHours',
    env: 'LONGHAUL_COST_ACTUALS_HOURS',
    fallback: '24',
    about: 'how long after its pricing the bill has a launch',
    check: wholeNumber(24, 168, 'of hours, '),
  },
  {
    name: 'gatewayHost',
    env: 'LONGHAUL_GATEWAY_HOST',
    fallback: '127.0.0.1',
    about: 'address the gateway listens on; anything but loopback needs gatewayAuth jwt',
    check: matches(/^[\w.:-]+$/, 'an address or a host name'),
  },
  {
    name: 'gatewayPort',
    env: 'LONGHAUL_GATEWAY_PORT',
    fallback: '8780',
    about: 'port the gateway listens on; 0: any free one',
    check: wholeNumber(0, 65_535),
  },
  {
    name: 'gatewayAuth',
    env: 'LONGHAUL_GATEWAY_AUTH',
    fallback: 'open',
    about: 'open: no token is asked for, on loopback alone; jwt: signed tokens',
    check: oneOf('open', 'jwt'),
  },
  {
    name: 'gatewayIssuer',
    env: 'LONGHAUL_GATEWAY_ISSUER',
    fallback: '',
    about: 'issuer (iss) of the tokens',
    check: matches(/^\S*$/, 'a text without spaces'),
  },
  {
    name: 'gatewayAudience',
    env: 'LONGHAUL_GATEWAY_AUDIENCE',
    fallback: '',
    about: 'audience (aud) of the tokens: this installation',
    check: matches(/^\S*$/, 'a text without spaces'),
  },
  {
    name: 'gatewayJwks',
    env: 'LONGHAUL_GATEWAY_JWKS',
    fallback: '',
    about: 'where the public keys of the issuer are: https:// address or path of a JSON Web Key Set',
    check: matches(
      /^$|^https:\/\/[^\s@]+$|^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?\/\S*$|^(?!https?:)[^\0\n]+$/,
      'an https:// address (http:// on loopback), or a path',
    ),
  },
  {
    name: 'gatewayConsumersClaim',
    env: 'LONGHAUL_GATEWAY_CONSUMERS_CLAIM',
    fallback: 'consumers',
    about: 'claim of a token that names its consumers: a list, or *',
    check: matches(/^\S+$/, 'the name of a claim'),
  },
  {
    name: 'gatewayRoleClaim',
    env: 'LONGHAUL_GATEWAY_ROLE_CLAIM',
    fallback: 'role',
    about: 'claim of a token that names its role: viewer, operator or approver',
    check: matches(/^\S+$/, 'the name of a claim'),
  },
  {
    name: 'gatewayOrigins',
    env: 'LONGHAUL_GATEWAY_ORIGINS',
    fallback: '',
    about: 'origins of other web pages that may use the gateway, joined by commas',
    check: matches(
      /^(https?:\/\/[\w.[\]:-]+(,https?:\/\/[\w.[\]:-]+)*)?$/,
      'origins such as https://console.example.com, joined by commas',
    ),
  },
  {
    name: 'gatewayKey',
    env: 'LONGHAUL_GATEWAY_KEY',
    fallback: '',
    about: 'secret with which workers tell gateways of news; empty: gateways look every 2 s',
    check: (value) =>
      value === '' || value.length >= 32 ? undefined : 'at least 32 characters (openssl rand -base64 32)',
  },
  {
    name: 'gatewayAnonymous',
    env: 'LONGHAUL_GATEWAY_ANONYMOUS',
    fallback: 'off',
    about: 'on: users without a token may watch what they began themselves',
    check: oneOf('off', 'on'),
  },
  {
    name: 'gatewayHosted',
    env: 'LONGHAUL_GATEWAY_HOSTED',
    fallback: '',
    about: 'address of the stage of a WebSocket API of API Gateway whose routes lead to the gateway; needs gatewayKey',
    check: (value) => (value === '' || isStageAddress(value) ? undefined : 'https://<api>/<stage>, without a query'),
  },
  {
    name: 'openaiKey',
    env: 'OPENAI_API_KEY',
    fallback: '',
    about: 'key of OpenAI, for stories; empty: there are none',
    check: matches(/^\S*$/, 'a key without spaces'),
  },
  {
    name: 'storyTextModel',
    env: 'LONGHAUL_STORY_TEXT_MODEL',
    fallback: 'gpt-5-mini',
    about: 'model of OpenAI that writes stories',
    check: matches(MODEL, 'the id of a model'),
  },
  {
    name: 'storyImageModel',
    env: 'LONGHAUL_STORY_IMAGE_MODEL',
    fallback: 'gpt-image-2',
    about: 'model of OpenAI that draws their pictures',
    check: matches(MODEL, 'the id of a model'),
  },
  {
    name: 'storyModerationModel',
    env: 'LONGHAUL_STORY_MODERATION_MODEL',
    fallback: 'omni-moderation-latest',
    about: 'model of OpenAI that looks at prompts, texts and pictures',
    check: matches(MODEL, 'the id of a model'),
  },
  {
    name: 'storyImageSize',
    env: 'LONGHAUL_STORY_IMAGE_SIZE',
    fallback: '1024x1024',
    about: 'of pictures, pixels',
    check: matches(/^\d{3,4}x\d{3,4}$/, 'width x height, such as 1024x1024'),
  },
  {
    name: 'storyImageQuality',
    env: 'LONGHAUL_STORY_IMAGE_QUALITY',
    fallback: 'medium',
    about: 'of pictures: what a picture costs depends on it most',
    check: oneOf('low', 'medium', 'high'),
  },
  {
    name: 'storyLinkKey',
    env: 'LONGHAUL_STORY_LINK_KEY',
    fallback: '',
    about: 'secret with which links to stories are signed, the same for workers and gateways; empty: no links, no mail',
    check: (value) =>
      value === '' || value.length >= 32 ? undefined : 'at least 32 characters (openssl rand -base64 32)',
  },
  {
    name: 'storyUrl',
    env: 'LONGHAUL_STORY_URL',
    fallback: 'http://127.0.0.1:8780',
    about: 'where readers of stories reach the gateway',
    check: matches(/^https?:\/\/[^\s?#@]+[^\s?#@/]$/, 'https://host, without a slash at its end'),
  },
  {
    name: 'storyBus',
    env: 'LONGHAUL_STORY_BUS',
    fallback: 'default',
    about: 'event bus that gets StoryCreated',
    check: matches(/^[\w./-]{1,256}$/, 'the name of an event bus'),
  },
  {
    name: 'buildId',
    env: 'LONGHAUL_BUILD_ID',
    fallback: '',
    about: 'turns worker versioning on: the build id of these workers',
  },
  {
    name: 'logLevel',
    env: 'LONGHAUL_LOG_LEVEL',
    fallback: 'info',
    about: 'least level that is logged',
    check: oneOf('trace', 'debug', 'info', 'warn', 'error'),
  },
];

/** A setting that cannot be used; the message names the variable or the line, and what was expected. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/**
 * @param env usually process.env
 * @param file path of a longhaul.yaml; one that is not there counts as empty
 * @throws SettingsError naming every wrong variable or line at once
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>, file = 'longhaul.yaml'): Settings {
  const problems: string[] = [];
  const written = existsSync(file) ? readFile(file, problems) : new Map<string, { value: string; line: number }>();
  const settings: Record<string, string | number> = {};
  for (const setting of SETTINGS) {
    const inFile = written.get(setting.name);
    const fromEnv = env[setting.env];
    const value = fromEnv !== undefined && fromEnv !== '' ? fromEnv : (inFile?.value ?? setting.fallback);
    const expected = setting.check?.(value);
    // The value itself stays out: it may be a key.
    if (expected)
      problems.push(`${fromEnv ? setting.env : `${file}:${inFile?.line}: ${setting.name}`}: expected ${expected}`);
    settings[setting.name] = NUMBERS.has(setting.name) ? Number(value) : value;
  }
  if (problems.length > 0) throw new SettingsError(problems.join('\n'));
  return settings as unknown as Settings;
}

function readFile(file: string, problems: string[]): Map<string, { value: string; line: number }> {
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(file, 'utf8'), { lineCounter: lines, prettyErrors: false });
  const written = new Map<string, { value: string; line: number }>();
  const [error] = document.errors;
  // The parser's message may quote a value; its code does not.
  const why = error?.code.toLowerCase().replaceAll('_', ' ');
  if (error) problems.push(`${file}:${lines.linePos(error.pos[0]).line}: not valid YAML: ${why}`);
  if (document.contents === null || error) return written;
  if (!isMap(document.contents)) {
    problems.push(`${file}:1: expected a mapping of settings, such as "bucket: my-bucket"`);
    return written;
  }
  for (const { key, value } of document.contents.items) {
    const range = (key as { range?: [number, number, number] }).range;
    const line = lines.linePos(range?.[0] ?? 0).line;
    const name = String(key);
    const plain: unknown = (value as { toJSON?(): unknown } | null)?.toJSON?.();
    if (!SETTINGS.some((setting) => setting.name === name)) {
      problems.push(
        `${file}:${line}: there is no setting ${name}; there are: ${SETTINGS.map((setting) => setting.name).join(', ')}`,
      );
    } else if (typeof plain !== 'string' && typeof plain !== 'number') {
      problems.push(`${file}:${line}: ${name}: expected one value`);
    } else written.set(name, { value: String(plain), line });
  }
  return written;
}
