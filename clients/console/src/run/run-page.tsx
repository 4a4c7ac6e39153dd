/**
 * The page of one run: as it is now, live, or as it was at the moment the address names.
 *
 * @module
 */
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { Snapshot } from '../../../../workflows/progress/model.ts';
import { percentText } from '../format.ts';
import { useKeys } from '../hooks.ts';
import { announce } from '../parts/announce.tsx';
import { Empty, Problem, Skeleton } from '../parts/notes.tsx';
import { domainOf } from '../routes.ts';
import { isOver, waitingText } from '../status.ts';
import { MomentBar } from './moment-bar.tsx';
import { newestOf, useFeed, useRunDetail } from './run-detail.ts';
import { RunHeader } from './run-header.tsx';
import { Sections } from './sections.tsx';
import { useMoment } from './use-moment.ts';
import { useRecording } from './use-recording.ts';

export function Run({ workflowId }: { workflowId: string }) {
  const feed = useFeed(workflowId);
  const told = feed?.snapshot.value;
  const newest = useRef<Snapshot>(undefined);
  const detail = useRunDetail(workflowId, newest.current, told ? `${told.status} ${told.attempt} ${told.endedAt}` : '');
  const now = newestOf(told, detail.data?.snapshot);
  newest.current = now;

  const [moment, go] = useMoment();
  const recorded = useRecording(moment === undefined ? undefined : now);
  const { history } = recorded;
  const then = useMemo(() => (moment === undefined ? undefined : history?.at(moment)), [moment, history]);
  const shown = moment === undefined ? now : then;
  useNews(workflowId, now);
  useKeys({ l: () => go(undefined) });

  if (!now || !detail.data) {
    if (detail.failure?.status === 404) return <NotFound workflowId={workflowId} />;
    if (detail.failure && !detail.data) return <Problem failure={detail.failure} retry={detail.reload} />;
    return <Skeleton rows={7} label="Loading the run" />;
  }
  return (
    <article class="run">
      <RunHeader
        detail={detail.data}
        snapshot={shown ?? now}
        moment={moment}
        resume={feed?.resumed.value}
        reload={detail.reload}
      />
      {detail.failure && <Problem failure={detail.failure} retry={detail.reload} />}
      <MomentBar now={now} moment={moment} recorded={recorded} go={go} />
      {shown ? (
        <Sections detail={detail.data} snapshot={shown} moment={moment} recorded={recorded} />
      ) : (
        !recorded.failure && <Skeleton rows={5} label="Loading the events of the run" />
      )}
    </article>
  );
}

/** What changes is said, and stands in the title. */
function useNews(workflowId: string, now: Snapshot | undefined): void {
  const { id } = domainOf(workflowId);
  const status = now?.status;
  const waitingFor = now?.waitingFor;
  const said = useRef<string>(undefined);
  useEffect(() => {
    if (status === undefined) return;
    const text = `${status}${waitingFor === undefined ? '' : `, ${waitingText(waitingFor)}`}`;
    if (said.current !== undefined && said.current !== text) announce(`Run ${id} is now ${text}`);
    said.current = text;
  }, [status, waitingFor]);
  const percent = now?.percent !== undefined && !isOver(now) ? ` ${percentText(now.percent)}` : '';
  const title = `${status === undefined ? '' : `${status}${percent} · `}${id} · Longhaul`;
  useEffect(() => {
    document.title = title;
  }, [title]);
}

const NotFound = ({ workflowId }: { workflowId: string }) => (
  <Empty title={`There is no run ${workflowId}`}>
    <p>
      Its log may have been dropped after its time, or it belongs to a consumer that is not yours.{' '}
      <a href="/">All runs</a>
    </p>
  </Empty>
);
