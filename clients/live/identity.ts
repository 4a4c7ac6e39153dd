/**
 * Who an anonymous user is: an id made here, and the secret the gateway gave for it.
 *
 * @module
 */
import type { Identity, IdentityStorage } from './client-types.ts';
import { USER_ID_PATTERN } from './protocol.ts';

/** A secret is offered to the gateway it came from only. */
const keyOf = (url: string) => `longhaul.identity ${new URL(url).host}`;

function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(18));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_');
}

export function readIdentity(storage: IdentityStorage, url: string): Identity {
  try {
    const found = JSON.parse(storage.getItem(keyOf(url)) ?? '') as Partial<Identity>;
    if (found.userId !== undefined && USER_ID_PATTERN.test(found.userId)) return { ...found, userId: found.userId };
  } catch {
    // None yet, or none that can be used.
  }
  return newIdentity(storage, url);
}

/** The next connection is somebody else's. */
export function newIdentity(storage: IdentityStorage, url: string): Identity {
  const identity = { userId: randomId() };
  keepIdentity(storage, url, identity);
  return identity;
}

export function keepIdentity(storage: IdentityStorage, url: string, identity: Identity): void {
  try {
    storage.setItem(keyOf(url), JSON.stringify(identity));
  } catch {
    // Storage that is full or forbidden: this identity ends with the page.
  }
}

export function memoryStorage(): IdentityStorage {
  const items = new Map<string, string>();
  return { getItem: (key) => items.get(key) ?? null, setItem: (key, value) => void items.set(key, value) };
}

export function defaultStorage(): IdentityStorage {
  try {
    const { sessionStorage } = globalThis as { sessionStorage?: IdentityStorage };
    return sessionStorage ?? memoryStorage();
  } catch {
    return memoryStorage();
  }
}
