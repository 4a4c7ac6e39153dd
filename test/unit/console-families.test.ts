/** The settings of a family while they are typed in the console: what is sent, and what is said before anything is. */
import { describe, expect, it } from 'vitest';
import {
  changesOf,
  draftOf,
  nameProblem,
  newDraft,
  problemsOf,
  settingsOf,
  zoneHere,
} from '../../clients/console/src/pages/family-draft.ts';
import type { FamilySettings } from '../../clients/live/stories.ts';
import { checkSettings, DEFAULTS } from '../../clients/story/settings.ts';

const SET: FamilySettings = { ...DEFAULTS, timeZone: 'Europe/Berlin', voice: 'Amy' };

describe('a new family', () => {
  it('begins with what the command line has, where the reader is, and can be added so', () => {
    const draft = newDraft(zoneHere());

    expect(problemsOf(draft)).toEqual({});
    const given = settingsOf(draft);
    expect(given).toEqual({ ...DEFAULTS, timeZone: zoneHere() });
    expect(checkSettings(given).voice).toBe('Amy');
  });

  it.each([
    [{ timeZone: 'Mars/Phobos' }, 'there is no time zone "Mars/Phobos"'],
    [{ timeZone: '' }, 'there is no time zone ""'],
    [{ at: '' }, 'the time of day cannot be ""'],
    [{ language: 'x' }, '"x" is no language'],
    [{ voice: '<b>' }, 'the voice cannot be "<b>"'],
    [{ minWords: '' }, 'the least number of words cannot be 0'],
    [{ minWords: '20.5' }, 'the least number of words cannot be 20.5'],
    [{ catchupMinutes: '0' }, 'the minutes to catch up cannot be 0'],
    [{ storyLimitUsd: '0' }, 'the limit of a story cannot be "0"'],
    [{ monthLimitUsd: '1e3' }, 'the limit of a month cannot be "1e3"'],
  ] as const)('with %j is told what is wrong, and what to do', (change, said) => {
    const [name = ''] = Object.keys(change);
    const problems = problemsOf({ ...newDraft('Europe/Berlin'), ...change });

    expect(Object.keys(problems)).toEqual([name]);
    expect(Object.values(problems)[0]).toContain(said);
    expect(Object.values(problems)[0]).toMatch(/: (name|give) /);
  });

  it('has any limits by themselves: whether they fit together is for the gateway', () => {
    expect(problemsOf({ storyLimitUsd: '900', monthLimitUsd: '0.01' })).toEqual({});
  });

  it('has an opaque name', () => {
    expect(nameProblem('moon-2')).toBeUndefined();
    for (const name of ['', 'Moon', 'the moon', 'a'.repeat(41)])
      expect(nameProblem(name)).toContain('cannot be the name');
  });
});

describe('a family that is there', () => {
  it('is sent what was changed alone', () => {
    expect(changesOf({}, SET)).toEqual({});
    expect(changesOf(draftOf(SET), SET)).toEqual({});
    expect(changesOf({ at: '18:45', minWords: ' 200 ', voice: ' ' }, SET)).toEqual({ at: '18:45' });
    expect(changesOf({ waitForAll: true, minWords: '300', language: ' de-DE' }, SET)).toEqual({
      waitForAll: true,
      minWords: 300,
      language: 'de-DE',
    });
  });
});
