/**
 * What can be done with a run. Nothing happens without a second click, in a dialog that says what it means.
 *
 * @module
 */
import { useState } from 'preact/hooks';
import type { RunAction } from '../../../live/api.ts';
import { money } from '../format.ts';
import { ask } from '../http.ts';
import { announce } from '../parts/announce.tsx';
import { Confirm } from '../parts/confirm.tsx';
import type { AnyDetail } from './run-detail.ts';

interface Wording {
  label: string;
  /** Of the dialog. */
  title: string;
  means: string;
  doIt: string;
  done: string;
  danger?: true;
}

const WORDINGS: Readonly<Record<RunAction, Wording>> = {
  approve: {
    label: 'Approve',
    title: 'Approve and let it go on?',
    means: 'Money is spent from then on, and a request that was sent cannot be taken back.',
    doIt: 'Approve',
    done: 'approved',
  },
  refuse: {
    label: 'Refuse',
    title: 'Refuse it?',
    means: 'Nothing is spent, and the run fails with ApprovalRefusedError. It can be tried again.',
    doIt: 'Refuse',
    done: 'refused',
    danger: true,
  },
  retry: {
    label: 'Retry',
    title: 'Try it again?',
    means: 'A new attempt begins. What earlier attempts have finished is found again and not repeated.',
    doIt: 'Begin a new attempt',
    done: 'a new attempt has begun',
  },
  cancel: {
    label: 'Cancel',
    title: 'Cancel this run?',
    means: 'Jobs that run are ended. What is finished stays, and a retry goes on from there.',
    doIt: 'Cancel the run',
    done: 'is being cancelled',
    danger: true,
  },
};

/** What is different of a story. */
const OF_STORIES: Partial<Readonly<Record<RunAction, Partial<Wording>>>> = {
  cancel: {
    title: 'Cancel this story?',
    means:
      'What is being made of it is given up; a mail that was sent stays sent. What is there can be read for two days, and a retry goes on from there.',
    doIt: 'Cancel the story',
  },
};

const wordingOf = (action: RunAction, { domain }: Pick<AnyDetail, 'domain'>): Wording => ({
  ...WORDINGS[action],
  ...(domain === 'story' && OF_STORIES[action]),
});

export function RunActions({ detail, reload }: { detail: AnyDetail; reload(): void }) {
  const [open, setOpen] = useState<RunAction>();
  if (detail.actions.length === 0 && open === undefined) return null;
  return (
    <div class="actions">
      {(Object.keys(WORDINGS) as RunAction[])
        .filter((action) => detail.actions.includes(action))
        .map((action) => (
          <button
            key={action}
            type="button"
            class={WORDINGS[action].danger ? 'danger' : action === 'approve' ? 'primary' : ''}
            onClick={() => setOpen(action)}
          >
            {WORDINGS[action].label}
          </button>
        ))}
      {open !== undefined && (
        <ActionDialog action={open} detail={detail} close={() => setOpen(undefined)} reload={reload} />
      )}
    </div>
  );
}

interface DialogProps {
  action: RunAction;
  detail: AnyDetail;
  close(): void;
  reload(): void;
}

function ActionDialog({ action, detail, close, reload }: DialogProps) {
  const [noCache, setNoCache] = useState(false);
  const { title, means, doIt, done, danger = false } = wordingOf(action, detail);
  const send = async (): Promise<void> => {
    await act(action, detail, noCache);
    announce(`${detail.id}: ${done}`);
    reload();
  };
  const price = detail.restore?.usd;
  const leaveIt = action === 'cancel' ? 'Let it run' : 'Not now';
  return (
    <Confirm title={title} doIt={doIt} leaveIt={leaveIt} danger={danger} act={send} close={close}>
      <p class="dialog-what">{detail.workflowId}</p>
      <p>{means}</p>
      {action === 'approve' && price !== undefined && (
        <p>
          About <strong>{money(price, 'USD')}</strong>
          {detail.restore?.limitUsd !== undefined && `, above the limit of ${money(detail.restore.limitUsd, 'USD')}`}.
        </p>
      )}
      {action === 'retry' && detail.domain === 'launch' && (
        <label class="check">
          <input type="checkbox" checked={noCache} onChange={(event) => setNoCache(event.currentTarget.checked)} />
          Do everything again, also what is known from other launches
        </label>
      )}
    </Confirm>
  );
}

function act(action: RunAction, { domain, id, workflowId }: AnyDetail, noCache: boolean): Promise<unknown> {
  if (action === 'approve' || action === 'refuse')
    return ask('/approvals', {
      method: 'POST',
      pattern: '/approvals',
      body: { workflowId, ...(action === 'refuse' && { refuse: true }) },
    });
  if (domain === 'story') return actOnStory(action, id);
  const of = domain === 'restore' ? 'restores' : 'launches';
  return ask(`/${of}/${encodeURIComponent(id)}/${action}`, {
    method: 'POST',
    pattern: `/${of}/:id/${action}`,
    body: action === 'retry' && noCache ? { noCache } : {},
  });
}

/** It has its own two names, and is gone on with by asking for it again. */
function actOnStory(action: RunAction, id: string): Promise<unknown> {
  const [family = '', night = ''] = id.split('/');
  if (action !== 'cancel') return ask('/stories', { method: 'POST', pattern: '/stories', body: { family, night } });
  return ask(`/stories/${encodeURIComponent(family)}/${encodeURIComponent(night)}/cancel`, {
    method: 'POST',
    pattern: '/stories/:family/:night/cancel',
    body: {},
  });
}
