/**
 * The sections of a run's page, as far as there is something in them. Which one is open is in the address.
 *
 * @module
 */
import type { ComponentType } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Snapshot } from '../../../../workflows/progress/model.ts';
import { useKeys } from '../hooks.ts';
import { here, query, setQuery } from '../location.ts';
import { CostSection } from './cost-section.tsx';
import { ExplainSection } from './explain-section.tsx';
import { InputsSection, OutputsSection } from './files-sections.tsx';
import { HistorySection } from './history-section.tsx';
import { LogsSection } from './logs-section.tsx';
import { GraphSection, StepsSection, TimelineSection } from './pictures.tsx';
import { RestoreSection } from './restore-section.tsx';
import type { AnyDetail } from './run-detail.ts';
import type { Recorded } from './use-recording.ts';

export interface SectionProps {
  detail: AnyDetail;
  /** Of now, or of the moment that is looked at. */
  snapshot: Snapshot;
  moment: number | undefined;
  recorded: Recorded;
}

interface Section {
  tab: string;
  label: string;
  of: ComponentType<SectionProps>;
  shown(props: SectionProps): boolean;
}

const ofLaunch = ({ detail }: SectionProps): boolean => detail.domain === 'launch';
const hasSteps = ({ snapshot, detail }: SectionProps): boolean =>
  snapshot.steps.length > 0 || detail.domain === 'launch';

const SECTIONS: readonly Section[] = [
  { tab: 'timeline', label: 'Timeline', of: TimelineSection, shown: hasSteps },
  { tab: 'graph', label: 'Graph', of: GraphSection, shown: hasSteps },
  { tab: 'steps', label: 'Steps', of: StepsSection, shown: hasSteps },
  { tab: 'logs', label: 'Logs', of: LogsSection, shown: ofLaunch },
  { tab: 'inputs', label: 'Inputs', of: InputsSection, shown: ofLaunch },
  { tab: 'outputs', label: 'Outputs', of: OutputsSection, shown: ofLaunch },
  { tab: 'restore', label: 'Restore', of: RestoreSection, shown: ({ detail }) => detail.restore !== undefined },
  { tab: 'cost', label: 'Cost', of: CostSection, shown: ofLaunch },
  { tab: 'explain', label: 'Explain', of: ExplainSection, shown: ofLaunch },
  { tab: 'history', label: 'History', of: HistorySection, shown: () => true },
];

export function Sections(props: SectionProps) {
  const shown = SECTIONS.filter((section) => section.shown(props));
  const wanted = query.value.get('tab');
  const at = Math.max(
    0,
    shown.findIndex(({ tab }) => tab === wanted),
  );
  const section = shown[at];
  const go = (to: number): void => {
    const next = shown[(to + shown.length) % shown.length];
    if (next) setQuery({ tab: next.tab });
  };
  useKeys({
    '[': () => go(at - 1),
    ']': () => go(at + 1),
    ...Object.fromEntries(shown.slice(0, 9).map((_, place) => [String(place + 1), () => go(place)])),
  });
  const tabs = useRef<HTMLElement>(null);
  useEffect(() => {
    tabs.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [at]);
  if (!section) return null;
  return (
    <>
      <nav ref={tabs} class="tabs" aria-label="Sections of the run">
        {shown.map(({ tab, label }) => (
          <a key={tab} href={here({ tab })} aria-current={tab === section.tab ? 'true' : undefined}>
            {label}
          </a>
        ))}
      </nav>
      <div class="section">
        <section.of key={section.tab} {...props} />
      </div>
    </>
  );
}
