/**
 * Names below `localhost` without a name server: they are this machine (RFC 6761, 6.3), but not every system's resolver
 * says so. S3 Control needs it: its client puts the account's id before the host of any endpoint, so that an endpoint
 * on this machine becomes `123456789012.localhost`; an IP address it cannot use at all.
 *
 * @module
 */
import { type LookupAddress, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

const LOOPBACK: LookupAddress = { address: '127.0.0.1', family: 4 };

/** As `lookup` of node:dns, for an agent of node:http. */
export const lookupLoopback: LookupFunction = (hostname, options, callback) => {
  if (!/\.localhost\.?$/i.test(hostname)) lookup(hostname, options, callback);
  else if (options.all) process.nextTick(callback, null, [LOOPBACK]);
  else process.nextTick(callback, null, LOOPBACK.address, LOOPBACK.family);
};
