/**
 * Whose AWS bill it is, for files that have to name it.
 *
 * @module
 */
import type { BillingAccount } from '../../lib/cost/focus.ts';

interface Credentialed {
  config: { credentials(): Promise<{ accountId?: string }> };
}

/** The account of the credentials where they tell it: most do, keys in variables do not. */
export async function billingAccount(
  client: Credentialed,
  named: { id?: string | undefined; name?: string | undefined },
): Promise<BillingAccount> {
  const id = named.id ?? (await client.config.credentials()).accountId ?? 'unknown';
  return { id, name: named.name ?? (id === 'unknown' ? id : `AWS account ${id}`) };
}
