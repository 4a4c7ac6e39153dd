/**
 * The stand-in for EC2: what instance types there are, over its query protocol. It runs no instances; those of Batch
 * are simulated there.
 *
 * @module
 */
import { queryService } from '../../kit/query-protocol.ts';
import type { AwsService } from '../../kit/service.ts';
import { describeInstanceTypes } from './instance-types.ts';

export function createEc2(): { service: AwsService } {
  return {
    service: queryService({
      dialect: 'ec2',
      version: '2016-11-15',
      operations: { DescribeInstanceTypes: describeInstanceTypes },
    }),
  };
}
