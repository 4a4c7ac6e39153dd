/**
 * Where a reader was in the sound, kept in the browser until the story goes.
 *
 * @module
 */
const PREFIX = 'longhaul-story/';

interface Kept {
  /** In seconds. */
  at: number;
  /** Epoch ms. */
  until: number;
}

/** What a browser that keeps nothing throws is nobody's trouble. */
function quietly<Result>(run: () => Result): Result | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

export const keepPlace = (storyId: string, at: number, expiresAt: string): void => {
  const kept: Kept = { at, until: Date.parse(expiresAt) };
  quietly(() => localStorage.setItem(PREFIX + storyId, JSON.stringify(kept)));
};

export const forgetPlace = (storyId: string): void => {
  quietly(() => localStorage.removeItem(PREFIX + storyId));
};

/** @returns seconds; 0 where nothing is known */
export function placeIn(storyId: string): number {
  const kept = quietly(() => JSON.parse(localStorage.getItem(PREFIX + storyId) ?? 'null') as Partial<Kept> | null);
  return typeof kept?.at === 'number' && kept.at > 0 ? kept.at : 0;
}

/** Of stories that have gone. */
export function forgetOld(): void {
  quietly(() => {
    for (const key of Object.keys(localStorage)) {
      if (!key.startsWith(PREFIX)) continue;
      const kept = quietly(() => JSON.parse(localStorage.getItem(key) ?? '') as Partial<Kept>);
      if (!(typeof kept?.until === 'number' && kept.until > Date.now())) localStorage.removeItem(key);
    }
  });
}
