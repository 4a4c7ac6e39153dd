/**
 * The stand-in for EC2 over its query protocol: what instance types there are, the instances that Batch's stand-in has
 * launched with their volumes, and what spot capacity has cost. It starts and ends nothing.
 *
 * @module
 */
import type { Kit } from '../../kit/front-door.ts';
import { type QueryOperation, queryService } from '../../kit/query-protocol.ts';
import { AwsError, type AwsService } from '../../kit/service.ts';
import { TokenBucket } from '../../kit/token-bucket.ts';
import type { InstancePort, Place } from '../ports.ts';
import { describeInstanceTypes } from './instance-types.ts';
import { describeInstances } from './instances.ts';
import { describeSpotPriceHistory } from './spot-history.ts';
import { describeVolumes } from './volumes.ts';

/** EC2's of non-mutating actions. */
const RATE = { perSecond: 20, burst: 100 };

export function createEc2(options: { kit: Kit; place: Place; instances: InstancePort }): { service: AwsService } {
  const { kit, place, instances } = options;
  const rate = new TokenBucket(kit.clock, RATE);
  const paced = (operation: QueryOperation): QueryOperation => ({
    ...operation,
    run(input, request) {
      if (!rate.take()) throw new AwsError('RequestLimitExceeded', 'Request limit exceeded.', 503);
      return operation.run(input, request);
    },
  });
  return {
    service: queryService({
      dialect: 'ec2',
      version: '2016-11-15',
      operations: {
        DescribeInstanceTypes: paced(describeInstanceTypes),
        DescribeInstances: paced(describeInstances(instances, place)),
        DescribeSpotPriceHistory: paced(describeSpotPriceHistory(kit.clock, place)),
        DescribeVolumes: paced(describeVolumes(instances)),
      },
    }),
  };
}
