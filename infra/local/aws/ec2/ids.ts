/**
 * Ids of resources that are asked for by name, and EC2's words for those it cannot find.
 *
 * @module
 */
import { AwsError } from '../../kit/service.ts';

/** What EC2 calls a kind of resource in its errors. */
export interface Kind {
  /** Of the code: `InvalidInstanceID`. */
  code: string;
  /** Before the id: `i`. */
  prefix: string;
  name: string;
  /** The code where an id is no id at all. */
  malformed: string;
}

export const INSTANCE: Kind = {
  code: 'InvalidInstanceID',
  prefix: 'i',
  name: 'instance ID',
  malformed: 'InvalidInstanceID.Malformed',
};
export const VOLUME: Kind = {
  code: 'InvalidVolume',
  prefix: 'vol',
  name: 'volume',
  malformed: 'InvalidParameterValue',
};

/** Those named, or all; all of those named must be there. */
export function named<T>(items: readonly T[], ids: readonly string[], idOf: (item: T) => string, kind: Kind): T[] {
  const wrong = ids.find((id) => !new RegExp(`^${kind.prefix}-([0-9a-f]{8}|[0-9a-f]{17})$`).test(id));
  if (wrong !== undefined) throw new AwsError(kind.malformed, `Invalid id: "${wrong}"`);
  const known = new Set(items.map(idOf));
  const missing = [...new Set(ids)].filter((id) => !known.has(id));
  if (missing.length > 0) {
    const [are, s] = missing.length === 1 ? ['does', ''] : ['do', 's'];
    throw new AwsError(`${kind.code}.NotFound`, `The ${kind.name}${s} '${missing.join(', ')}' ${are} not exist`);
  }
  return items.filter((item) => ids.length === 0 || ids.includes(idOf(item)));
}
