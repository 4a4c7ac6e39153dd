/**
 * What the AWS SDK says where nobody answers, or where it has nothing to sign with, names neither service nor remedy.
 *
 * @module
 */
import { neverSent, wrongCredentials } from '../../lib/aws-errors.ts';

/** @returns in words for the user; undefined for every other error */
export function awsProblem(error: unknown, env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.message === 'Region is missing') return 'no AWS region is set: set AWS_REGION, or a profile that has one';
  if (error.name === 'CredentialsProviderError' || error.name === 'TokenProviderError')
    return `there are no AWS credentials (${error.message}): set AWS_PROFILE, sign in anew, or start the embedded platform with "longhaul up"`;
  if (wrongCredentials(error))
    return `AWS does not take the credentials (${error.name}): sign in anew, and see that the clock of this machine is right`;
  // Connections of others, such as to the gateway, have no metadata of the SDK.
  if (!('$metadata' in error) || !neverSent(error)) return undefined;
  const where = env.AWS_ENDPOINT_URL ? ` at ${env.AWS_ENDPOINT_URL}` : env.AWS_REGION ? ` in ${env.AWS_REGION}` : '';
  return `no AWS service answers${where} (${error.message}): start the embedded platform with "longhaul up", or check AWS_ENDPOINT_URL, the region and the network`;
}
