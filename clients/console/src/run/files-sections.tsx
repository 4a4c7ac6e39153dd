/**
 * What goes into a launch and what comes out of it, by address.
 *
 * @module
 */
import { useState } from 'preact/hooks';
import type { Output } from '../../../live/api.ts';
import { bytes, count, counted } from '../format.ts';
import { useResource } from '../hooks.ts';
import { ask } from '../http.ts';
import { announce } from '../parts/announce.tsx';
import { Empty, Problem, Skeleton } from '../parts/notes.tsx';
import { Rows } from '../parts/rows.tsx';
import type { SectionProps } from './sections.tsx';

const ROW = 48;

interface File {
  step: string;
  item: string;
  name: string;
  address: string;
  bytes?: number;
}

export function InputsSection({ detail }: SectionProps) {
  const { inputs, sheet, dataPath } = detail;
  return (
    <>
      <dl class="facts">
        {sheet !== undefined && (
          <>
            <dt>Sheet</dt>
            <dd>
              <Address address={sheet} />
            </dd>
          </>
        )}
        {dataPath !== undefined && (
          <>
            <dt>Data</dt>
            <dd>
              <Address address={dataPath} />
            </dd>
          </>
        )}
      </dl>
      {!inputs || inputs.total === 0 ? (
        <Empty title="No inputs are known">
          <p>They are once the sheet has been planned, if it names any.</p>
        </Empty>
      ) : (
        <>
          <Files files={inputs.first} label="Inputs" />
          <Shown shown={inputs.first.length} total={inputs.total} what="input" />
        </>
      )}
    </>
  );
}

export function OutputsSection({ detail }: SectionProps) {
  const [all, setAll] = useState(false);
  const { outputs = [], resultsPath } = detail;
  const asked = useResource(all ? detail.id : undefined, (stop) =>
    ask<Output[]>(`/launches/${encodeURIComponent(detail.id)}/outputs`, {
      pattern: '/launches/:id/outputs',
      signal: stop,
    }),
  );
  const shown = asked.data ?? outputs;
  const sum = shown.reduce((total, output) => total + output.bytes, 0);
  return (
    <>
      {resultsPath !== undefined && (
        <dl class="facts">
          <dt>Results</dt>
          <dd>
            <Address address={resultsPath} />
          </dd>
        </dl>
      )}
      {asked.failure && <Problem failure={asked.failure} retry={asked.reload} />}
      {shown.length === 0 ? (
        <Empty title="No outputs yet">
          <p>They are listed as soon as the item that makes them is done.</p>
        </Empty>
      ) : (
        <>
          <Files files={shown} label="Outputs" />
          <p class="figures">
            {counted(shown.length, 'output')}, {bytes(sum)}
          </p>
        </>
      )}
      {!all && outputs.length >= 200 && (
        <button type="button" onClick={() => setAll(true)}>
          Load all
        </button>
      )}
      {all && asked.loading && <Skeleton rows={2} label="Loading all outputs" />}
    </>
  );
}

const Shown = ({ shown, total, what }: { shown: number; total: number; what: string }) =>
  shown < total ? (
    <p>
      The first {count(shown)} of {counted(total, what)}; the sheet has all.
    </p>
  ) : (
    <p class="figures">{counted(total, what)}</p>
  );

const Files = ({ files, label }: { files: readonly File[]; label: string }) => (
  <Rows
    count={files.length}
    rowHeight={ROW}
    label={label}
    className="files"
    render={(index) => {
      const file = files[index];
      return (
        file && (
          <div key={index} class="file-row">
            <span class="file-name">
              {file.name} <small>{[file.step, file.item].filter(Boolean).join(' / ')}</small>
            </span>
            <Address address={file.address} />
            <span class="figure right">{file.bytes !== undefined && bytes(file.bytes)}</span>
          </div>
        )
      );
    }}
  />
);

/** Copied by a click: a browser has nothing to open `s3://` with. */
export function Address({ address }: { address: string }) {
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(address);
    announce('The address is copied');
  };
  return (
    <span class="address">
      <code title={address}>{address}</code>
      {'clipboard' in navigator && (
        <button type="button" class="quiet small" aria-label={`Copy ${address}`} onClick={() => void copy()}>
          Copy
        </button>
      )}
    </span>
  );
}
