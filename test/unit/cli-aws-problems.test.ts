/** What the SDK throws for real where nobody answers, and what the command line makes of it. */
import { DynamoDBClient, type DynamoDBClientConfig, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { awsProblem } from '../../clients/cli/aws-problems.ts';

const NOBODY = 'http://127.0.0.1:9';
const KEY = { accessKeyId: 'a', secretAccessKey: 'b' };

beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  vi.stubEnv('AWS_CONFIG_FILE', '/dev/null');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null');
});
afterEach(() => vi.unstubAllEnvs());

async function failure(config: DynamoDBClientConfig): Promise<unknown> {
  const client = new DynamoDBClient({ endpoint: NOBODY, maxAttempts: 1, ...config });
  try {
    return await client.send(new ListTablesCommand({}));
  } catch (error) {
    return error;
  } finally {
    client.destroy();
  }
}

describe('a call of AWS', () => {
  it('that nobody answers names the endpoint and how to have one', async () => {
    const error = await failure({ region: 'us-east-1', credentials: KEY });

    expect(awsProblem(error, { AWS_ENDPOINT_URL: NOBODY })).toBe(
      'no AWS service answers at http://127.0.0.1:9 (connect ECONNREFUSED 127.0.0.1:9): start the embedded platform with "longhaul up", or check AWS_ENDPOINT_URL, the region and the network',
    );
    expect(awsProblem(error, { AWS_REGION: 'eu-west-1' })).toMatch(/^no AWS service answers in eu-west-1 \(/);
    expect(awsProblem(error, {})).toMatch(/^no AWS service answers \(/);
  });

  it('without credentials, or without a region, says which settings there are', async () => {
    expect(awsProblem(await failure({ region: 'us-east-1' }))).toMatch(
      /^there are no AWS credentials \(Could not load.*\): set AWS_PROFILE/,
    );
    expect(awsProblem(await failure({ credentials: KEY }))).toMatch(/^no AWS region is set: set AWS_REGION/);
  });

  it('with credentials of yesterday says that somebody has to sign in', () => {
    const expired = Object.assign(new Error('The security token included in the request is expired'), {
      name: 'ExpiredTokenException',
      $metadata: { httpStatusCode: 400 },
    });
    expect(awsProblem(expired)).toMatch(/^AWS does not take the credentials \(ExpiredTokenException\): sign in anew/);
  });

  it.each([
    Object.assign(new Error('no'), { name: 'ResourceNotFoundException', $metadata: { httpStatusCode: 400 } }),
    Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:8780'), { code: 'ECONNREFUSED' }),
    new TypeError('ours'),
    'text',
    undefined,
  ])('that failed of something else is left as it is: %s', (error) => {
    expect(awsProblem(error)).toBeUndefined();
  });
});
