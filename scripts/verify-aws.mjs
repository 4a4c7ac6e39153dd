/**
 * `npm run verify:aws`: runs the contract tests against the user's own AWS account, by the ordinary AWS settings, and
 * keeps what the services answered, scrubbed, in test/contract/transcripts.
 *
 *   npm run verify:aws                 says what it would do, and does nothing
 *   npm run verify:aws -- --yes        does it
 *   LONGHAUL_VERIFY_BATCH_QUEUE=<name> npm run verify:aws -- --yes     runs jobs on that queue as well
 *   LONGHAUL_VERIFY_PIPE_ROLE=<ARN> npm run verify:aws -- --yes        runs pipes with that role as well
 *   LONGHAUL_VERIFY_BATCH_OPERATIONS_ROLE=<ARN> npm run verify:aws -- --yes    and jobs of S3 Batch Operations
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { S3Client } from '@aws-sdk/client-s3';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const { yes } = options();
const redirected = Object.keys(process.env).filter((name) => /^AWS_ENDPOINT_URL(_|$)/.test(name) && process.env[name]);
if (redirected.length > 0) {
  refuse(
    `${redirected.join(', ')} is set: the calls would not reach AWS.\nUnset it; against the stand-ins the same tests run with: npm test -- contract`,
  );
}
const { region, accountId } = await account();
const queue = process.env.LONGHAUL_VERIFY_BATCH_QUEUE || undefined;
const pipeRole = process.env.LONGHAUL_VERIFY_PIPE_ROLE || undefined;
const operationsRole = process.env.LONGHAUL_VERIFY_BATCH_OPERATIONS_ROLE || undefined;

console.log(`The contract tests, against your AWS account${accountId ? ` ${accountId}` : ''} in ${String(region)}. They will

  create and delete  S3 buckets, SQS queues, EventBridge rules, CloudWatch log groups, IAM roles
                     (without permissions);
                     every name starts with longhaul-contract-
  register           AWS Batch job definitions; deregistered at the end (AWS keeps them 180 days as inactive)
  ${
    queue
      ? `run                about 30 short jobs of 1 vCPU on your job queue ${queue}; its instances must be able to pull
                     public.ecr.aws/docker/library/node:22-slim and reach the instance metadata service`
      : 'run                no jobs: LONGHAUL_VERIFY_BATCH_QUEUE names no job queue of yours'
  }
  ${
    pipeRole
      ? 'create and delete  DynamoDB tables and EventBridge pipes with your role, for about half an hour'
      : 'run                no pipes: LONGHAUL_VERIFY_PIPE_ROLE names no role of yours'
  }
  ${
    operationsRole
      ? 'run                about 15 jobs of S3 Batch Operations with your role, for up to an hour'
      : 'run                no jobs of S3 Batch Operations: LONGHAUL_VERIFY_BATCH_OPERATIONS_ROLE names no role of yours'
  }
  keep               what the services answered in test/contract/transcripts: names of members, no values, without
                     account ids, names, addresses and times

  cost               a few hundred requests and some megabytes: less than 0.05 US dollars${
    queue
      ? ',\n                     and the minutes your compute environment runs: usually less than 0.50 US dollars'
      : ''
  }${
    operationsRole
      ? ',\n                     and 0.25 US dollars for each job of S3 Batch Operations: less than 5 US dollars'
      : ''
  }
`);
if (!yes) refuse('Nothing was done. If this is what you want: npm run verify:aws -- --yes');

const { status } = spawnSync(
  process.execPath,
  // The tests of the tables bring DynamoDB Local along; they say nothing of an account.
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--project=contract',
    '--no-file-parallelism',
    '--exclude=**/store.test.ts',
    '--exclude=**/pacing.test.ts',
  ],
  { stdio: 'inherit', env: { ...process.env, AWS_REGION: region, LONGHAUL_VERIFY_AWS: '1' } },
);
console.log(
  status === 0
    ? '\nAWS answers as the tests say. The transcripts are in test/contract/transcripts.'
    : '\nAWS did not answer as the tests say, or a test could not clean up: look for longhaul-contract- in your account.',
);
process.exit(status ?? 1);

function options() {
  try {
    return parseArgs({ options: { yes: { type: 'boolean', default: false } } }).values;
  } catch (error) {
    return refuse(error.message);
  }
}

/** By the SDK's own chain: environment, profiles, single sign-on, container, instance. */
async function account() {
  const client = new S3Client({});
  try {
    const credentials = await client.config
      .credentials()
      .catch((error) =>
        refuse(
          `No AWS credentials were found (${error.message}).\nSign in first, for example with: aws sso login, or set AWS_PROFILE.`,
        ),
      );
    const region = await client.config
      .region()
      .catch(() => refuse('No AWS Region is set. Set AWS_REGION, or a region in your profile.'));
    return { region, accountId: credentials.accountId };
  } finally {
    client.destroy();
  }
}

function refuse(message) {
  console.error(message);
  process.exit(2);
}
