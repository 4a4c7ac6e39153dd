/**
 * One family: its book, its characters, its scenes, its settings.
 *
 * @module
 */
import type { FamilyView } from '../../../live/stories.ts';
import { here, query } from '../location.ts';
import { FamilySettings } from './family-settings.tsx';
import { StoryBook } from './story-book.tsx';
import { StoryCards } from './story-cards.tsx';
import { StorySchedule } from './story-schedule.tsx';

const TABS = [
  { tab: 'book', label: 'Book' },
  { tab: 'characters', label: 'Characters' },
  { tab: 'scenes', label: 'Scenes' },
  { tab: 'settings', label: 'Settings' },
] as const;

export function StoryFamily({ family, reload }: { family: FamilyView; reload(): void }) {
  const { tab } = TABS.find(({ tab }) => tab === query.value.get('tab')) ?? TABS[0];
  return (
    <>
      <header class="run-top">
        <nav class="crumbs" aria-label="Where this is">
          <a href="/stories">Stories</a> <span aria-hidden="true">/</span> {family.family}
        </nav>
        <h1 tabIndex={-1}>Stories of {family.family}</h1>
        <StorySchedule family={family} reload={reload} />
      </header>
      <nav class="tabs" aria-label="Of the family">
        {TABS.map((one) => (
          <a key={one.tab} href={here({ tab: one.tab })} aria-current={one.tab === tab ? 'true' : undefined}>
            {one.label}
          </a>
        ))}
      </nav>
      <div class="section">
        {tab === 'book' && <StoryBook family={family.family} />}
        {(tab === 'characters' || tab === 'scenes') && <StoryCards key={tab} kind={tab} family={family} />}
        {tab === 'settings' && <FamilySettings family={family} reload={reload} />}
      </div>
    </>
  );
}
