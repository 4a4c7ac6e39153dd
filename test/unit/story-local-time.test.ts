/** What clocks on the wall show in a family's time zone, and which nights are without their time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  datesWithout,
  dayAfter,
  isDate,
  localDate,
  localTimeOf,
  momentsAbout,
  momentsOf,
} from '../../lib/story/local-time.ts';

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Pacific/Apia',
  'America/St_Johns',
  'Africa/Casablanca',
  'Asia/Beirut',
];
const at = (iso: string): number => Date.parse(iso);
const iso = (moments: readonly number[]): string[] => moments.map((moment) => new Date(moment).toISOString());

describe('a moment', () => {
  it('is found again by the date and time that are shown of it, in any zone and year', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ZONES),
        fc.integer({ min: at('2000-01-01T00:00:00Z') / 60_000, max: at('2060-01-01T00:00:00Z') / 60_000 }),
        (zone, minute) => {
          const moment = minute * 60_000;
          expect(momentsOf(zone, localDate(moment, zone), localTimeOf(zone, moment))).toContain(moment);
        },
      ),
    );
  });

  it('comes once, not at all, or twice, as clocks are changed', () => {
    expect(iso(momentsOf('Europe/Berlin', '2026-11-26', '19:15'))).toEqual(['2026-11-26T18:15:00.000Z']);
    expect(iso(momentsOf('Europe/Berlin', '2026-10-24', '19:15'))).toEqual(['2026-10-24T17:15:00.000Z']);
    expect(momentsOf('Europe/Berlin', '2027-03-28', '02:30')).toEqual([]);
    expect(iso(momentsOf('Europe/Berlin', '2026-10-25', '02:30'))).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-25T01:30:00.000Z',
    ]);
    // Half an hour is enough there; and here a whole day was left out.
    expect(momentsOf('Australia/Lord_Howe', '2026-10-04', '02:15')).toEqual([]);
    expect(momentsOf('Pacific/Apia', '2011-12-30', '19:15')).toEqual([]);
  });

  it('that does not exist is taken to be after the change', () => {
    const { first, last } = momentsAbout('Europe/Berlin', '2027-03-28', '02:30');
    expect(iso([first, last])).toEqual(['2027-03-28T01:30:00.000Z', '2027-03-28T01:30:00.000Z']);
    const twice = momentsAbout('Europe/Berlin', '2026-10-25', '02:30');
    expect(twice.last - twice.first).toBe(3_600_000);
  });

  it('of midnight is on its date, also where clocks are put forward at midnight', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), fc.integer({ min: 0, max: 20_000 }), (zone, days) => {
        const date = dayAfter('2012-01-01', days);
        expect(localDate(momentsAbout(zone, date, '00:00').first, zone)).toBe(date);
      }),
    );
  });
});

describe('the nights of a year', () => {
  it('have 19:15 everywhere, and not 02:30', () => {
    for (const zone of ZONES) expect(datesWithout(zone, '19:15', '2026-11-26', 366)).toEqual([]);
    expect(datesWithout('Europe/Berlin', '02:30', '2026-11-26', 366)).toEqual(['2027-03-28']);
    expect(datesWithout('America/New_York', '02:30', '2026-11-26', 366)).toEqual(['2027-03-14']);
    expect(datesWithout('UTC', '02:30', '2026-11-26', 366)).toEqual([]);
  });
});

describe('a date', () => {
  it.each(['2026-02-29', '2026-13-01', '2026-00-10', '2026-11-31', '26-11-26', '2026-11-26T00:00', '', '2026-1-1'])(
    '%j is none',
    (text) => expect(isDate(text)).toBe(false),
  );

  it('is one on every day there is', () => {
    expect(isDate('2028-02-29')).toBe(true);
    expect(dayAfter('2028-02-28')).toBe('2028-02-29');
    expect(dayAfter('2027-01-01', -1)).toBe('2026-12-31');
    fc.assert(fc.property(fc.integer({ min: 0, max: 40_000 }), (days) => isDate(dayAfter('2000-01-01', days))));
  });
});
