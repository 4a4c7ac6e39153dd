/**
 * The settings of a gateway, checked together: what each of them may be, `lib/settings.ts` has checked before.
 *
 * @module
 */
import { type Settings, SettingsError } from '../../lib/settings.ts';

export interface GatewaySettings {
  host: string;
  /** 0: any free one. */
  port: number;
  /** Whether every caller is trusted; then it listens on loopback alone. */
  open: boolean;
  tokens?: TokenSettings;
  /** Beside the gateway's own. */
  origins: readonly string[];
  /** Of our own processes; empty: nobody can nudge. */
  key: string;
  /** Whether there are users without a token. */
  anonymous: boolean;
}

export interface TokenSettings {
  issuer: string;
  audience: string;
  /** Address or path. */
  jwks: string;
  consumersClaim: string;
  roleClaim: string;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i;

/** @param host with or without a port */
export const isLoopback = (host: string): boolean => LOOPBACK.test(host) || LOOPBACK.test(host.replace(/:\d+$/, ''));

/** @throws SettingsError when they would let in whoever comes, or nobody */
export function gatewaySettings(settings: Settings): GatewaySettings {
  const open = settings.gatewayAuth === 'open';
  if (open && !isLoopback(settings.gatewayHost)) {
    throw new SettingsError(
      `gatewayHost: on ${settings.gatewayHost} anybody could see and cancel every run: set gatewayAuth to jwt with ` +
        'gatewayIssuer, gatewayAudience and gatewayJwks, or gatewayHost to 127.0.0.1',
    );
  }
  const missing = (['gatewayIssuer', 'gatewayAudience', 'gatewayJwks'] as const).filter((name) => !settings[name]);
  if (!open && missing.length > 0)
    throw new SettingsError(`gatewayAuth: jwt needs ${missing.join(', ')} too, see docs/live.md`);
  if (settings.gatewayHosted && !settings.gatewayKey)
    throw new SettingsError('gatewayHosted: needs gatewayKey, which the routes of the API have to send');
  return {
    host: settings.gatewayHost,
    port: settings.gatewayPort,
    open,
    ...(!open && {
      tokens: {
        issuer: settings.gatewayIssuer,
        audience: settings.gatewayAudience,
        jwks: settings.gatewayJwks,
        consumersClaim: settings.gatewayConsumersClaim,
        roleClaim: settings.gatewayRoleClaim,
      },
    }),
    origins: settings.gatewayOrigins.split(',').filter((origin) => origin !== ''),
    key: settings.gatewayKey,
    anonymous: open || settings.gatewayAnonymous === 'on',
  };
}
