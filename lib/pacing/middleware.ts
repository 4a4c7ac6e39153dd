/**
 * The middleware by which a client of the AWS SDK takes a token before every attempt of a paced operation.
 *
 * @module
 */
import { isThrottling } from '../aws-errors.ts';
import type { Pacer } from './pacer.ts';
import { pacedQuota, QUOTAS } from './quotas.ts';

/** What is needed of a client of the AWS SDK for JavaScript v3. */
interface PaceableClient {
  readonly config: {
    readonly serviceId: string;
    region(): Promise<string>;
    credentials(): Promise<{ accountId?: string }>;
  };
  readonly middlewareStack: {
    addRelativeTo(
      middleware: <Args, Result>(next: Handler<Args, Result>, context: Context) => Handler<Args, Result>,
      options: { relation: 'before' | 'after'; toMiddleware: string; name: string; override: boolean },
    ): void;
  };
}

type Handler<Args, Result> = (args: Args) => Promise<Result>;

interface Context {
  commandName?: string;
  /** The SDK puts the abort signal of `send` here, and nowhere else. */
  __smithy_context?: { abortSignal?: unknown };
}

/** The account of credentials that do not say theirs: one bucket for all of them. */
const UNKNOWN_ACCOUNT = 'default';

/**
 * Makes every attempt of a client's paced operations wait for a token, and tells the pacer of throttling. Other
 * operations are left alone.
 * @returns the client
 */
export function paced<Client extends PaceableClient>(client: Client, pacer: Pacer): Client {
  const { config } = client;
  const quotas = new Map(
    QUOTAS.filter(({ serviceId }) => serviceId === config.serviceId).map((quota) => [`${quota.api}Command`, quota]),
  );
  client.middlewareStack.addRelativeTo(
    (next, context) => async (args) => {
      const quota = quotas.get(context.commandName ?? '');
      if (!quota) return next(args);
      const [region, { accountId = UNKNOWN_ACCOUNT }] = await Promise.all([config.region(), config.credentials()]);
      const here = pacedQuota(quota, accountId, region);
      const signal = context.__smithy_context?.abortSignal;
      const slice = await pacer.take(here, signal instanceof AbortSignal ? signal : undefined);
      try {
        return await next(args);
      } catch (error) {
        if (isThrottling(error)) void pacer.throttled(here, slice);
        throw error;
      }
    },
    // Within the retries, so that each attempt counts; before the signature, whose time must not be that of a wait ago.
    { relation: 'before', toMiddleware: 'httpSigningMiddleware', name: 'pacingMiddleware', override: true },
  );
  return client;
}
