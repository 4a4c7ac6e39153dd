/**
 * What is to be minded of settings that were taken: nights without that time, a voice that could not be asked about.
 *
 * @module
 */
import { Note, sentence } from '../parts/notes.tsx';

export const Warnings = ({ warnings }: { warnings: readonly string[] }) =>
  warnings.length === 0 ? null : (
    <Note tone="wait">
      {warnings.map((warning) => (
        <p key={warning}>{sentence(warning)}</p>
      ))}
    </Note>
  );
