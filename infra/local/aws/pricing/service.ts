/**
 * The stand-in for the AWS Price List Query API over the awsJson 1.1 protocol: what AWS charged on the day of the
 * catalogue, for the services and Regions that are in it.
 *
 * @module
 */
import type { Kit } from '../../kit/front-door.ts';
import { jsonService } from '../../kit/json-protocol.ts';
import type { AwsService } from '../../kit/service.ts';
import { priceListOperations } from './operations.ts';

export function createPricing({ kit }: { kit: Kit }): { service: AwsService } {
  return { service: jsonService({ names: ['pricing'], version: '1.1', operations: priceListOperations(kit.clock) }) };
}
