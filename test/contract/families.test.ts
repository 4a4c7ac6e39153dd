/**
 * Families and their casts on DynamoDB: none is written over unless that is meant, and none is another's.
 *
 * @module
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { CARD_KINDS, FamilyStore } from '../../lib/store/families.ts';
import type { Card, Family } from '../../lib/story/document.ts';
import { freshTables } from '../support/fresh-tables.ts';
import { familyItem } from '../support/story-family.ts';

const AT = '2026-11-26T12:00:00.000Z';
const family = (name: string, more: Partial<Family> = {}) => familyItem({ family: name, created_at: AT, ...more });
const card = (name: string, more: Partial<Card> = {}): Card => ({
  family: 'moon',
  card: name,
  name,
  created_at: AT,
  ...more,
});

const tables = freshTables();
let families: FamilyStore;
beforeEach(() => {
  families = new FamilyStore(tables.client, tables.names);
});

describe('a family', () => {
  it('is found, listed by name, changed and removed', async () => {
    expect(await families.get('moon')).toBeUndefined();
    expect(await families.put(family('stern'))).toBe(true);
    await families.put(family('moon', { topic_arn: 'arn' }));
    await families.put(family('moon', { at: '18:00' }));
    expect(await families.get('moon')).toMatchObject(family('moon', { at: '18:00' }));
    // As a whole: what is left out is gone.
    expect(await families.get('moon')).not.toHaveProperty('topic_arn');
    expect((await families.list()).map((one) => one.family)).toEqual(['moon', 'stern']);
    await families.remove('moon');
    await families.remove('moon');
    expect((await families.list()).map((one) => one.family)).toEqual(['stern']);
  });

  it('of two that are added at the same time is one', async () => {
    const added = await Promise.all(
      ['18:00', '19:00', '20:00'].map((at) => families.put(family('moon', { at }), { replace: false })),
    );
    expect(added.filter(Boolean)).toHaveLength(1);
    expect(await families.get('moon')).toMatchObject({ at: ['18:00', '19:00', '20:00'][added.indexOf(true)] });
  });
});

describe.each(CARD_KINDS)('%s', (kind) => {
  it('are of one family each, and written over only where that is meant', async () => {
    expect(await families.putCard(kind, card('pip', { looks: 'small' }))).toBe(true);
    expect(await families.putCard(kind, card('pip', { looks: 'large' }))).toBe(false);
    await families.putCard(kind, card('pip', { family: 'stern' }));
    expect(await families.cards(kind, 'moon')).toEqual([card('pip', { looks: 'small' })]);
    expect(await families.putCard(kind, card('pip', { looks: 'large' }), { replace: true })).toBe(true);
    expect(await families.cards(kind, 'moon')).toEqual([card('pip', { looks: 'large' })]);
    expect(await families.removeCard(kind, 'moon', 'pip')).toBe(true);
    expect(await families.removeCard(kind, 'moon', 'pip')).toBe(false);
    expect(await families.cards(kind, 'stern')).toHaveLength(1);
    const others = CARD_KINDS.filter((one) => one !== kind);
    for (const other of others) expect(await families.cards(other, 'stern')).toEqual([]);
  });
});
