/**
 * A family is removed, once it has been said what goes with it and what stays.
 *
 * @module
 */
import { useState } from 'preact/hooks';
import { ask } from '../http.ts';
import { navigate } from '../location.ts';
import { announce } from '../parts/announce.tsx';
import { Confirm } from '../parts/confirm.tsx';
import { familyApi } from './story-paths.ts';

export function RemoveFamily({ family, reload }: { family: string; reload(): void }) {
  const [open, setOpen] = useState(false);
  const remove = async (): Promise<void> => {
    await ask(familyApi(family, '/remove'), { method: 'POST', pattern: '/families/:family/remove', body: {} });
    announce(`${family} is removed`);
    // First: of a family that is not there any more this page would say that it is not.
    navigate('/stories');
    reload();
  };
  return (
    <>
      <h2>Removal</h2>
      <button type="button" class="danger" onClick={() => setOpen(true)}>
        Remove the family
      </button>
      {open && (
        <Confirm title={`Remove ${family}?`} doIt="Remove it" danger act={remove} close={() => setOpen(false)}>
          <p>
            What goes: its settings and nights, its characters and scenes, and everybody who has subscribed to its mail.
          </p>
          <p>What stays: stories can be read until they expire, and their titles stay in the book.</p>
          <p>A story that is being made goes on, but sends no mail any more.</p>
        </Confirm>
      )}
    </>
  );
}
