/**
 * A button that loads a file of the gateway and saves it.
 *
 * @module
 */
import { useState } from 'preact/hooks';
import { asFailure, askFile, type Failure } from '../http.ts';
import { Icon } from './icon.tsx';
import { Problem } from './notes.tsx';
import { save } from './save.ts';

interface DownloadProps {
  path: string;
  /** In telemetry. */
  pattern: string;
  accept: string;
  name: string;
  label?: string;
}

export function Download({ path, pattern, accept, name, label = 'Download' }: DownloadProps) {
  const [state, setState] = useState<{ loading: boolean; failure?: Failure }>({ loading: false });
  const download = async (): Promise<void> => {
    setState({ loading: true });
    try {
      save(await askFile(path, { accept, pattern }), name);
      setState({ loading: false });
    } catch (error) {
      setState({ loading: false, failure: asFailure(error) });
    }
  };
  return (
    <>
      <button type="button" disabled={state.loading} onClick={() => void download()}>
        <Icon name="download" /> {state.loading ? 'Loading…' : label}
      </button>
      {state.failure && <Problem failure={state.failure} />}
    </>
  );
}
