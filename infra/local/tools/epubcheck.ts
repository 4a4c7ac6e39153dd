/**
 * EPUBCheck of the W3C: what reading systems and shops hold an EPUB against. From Maven Central, when a test wants it.
 *
 * @module
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jars } from './jars.ts';
import { java } from './java.ts';
import type { Progress } from './progress.ts';
import { attempt } from './run.ts';

export interface EpubFinding {
  /** `FATAL`, `ERROR`, `WARNING`, `USAGE`, `INFO`. */
  severity: string;
  /** Such as `RSC-005`. */
  id: string;
  message: string;
  /** `EPUB/story.xhtml:12`, of the first. */
  place: string;
}

/** Checks one EPUB; what is told for information only is in it too. @throws Error when it has not been checked */
export type EpubCheck = (epub: Uint8Array) => Promise<EpubFinding[]>;

interface Report {
  checker: { nFatal: number; nError: number; nWarning: number };
  messages: {
    severity: string;
    ID: string;
    message: string;
    locations: { path: string; line: number }[];
  }[];
}

export async function epubcheck(progress: Progress): Promise<EpubCheck> {
  const [{ path }, { classPath, version }] = await Promise.all([java(progress), jars('epubcheck', progress)]);
  progress({ tool: 'epubcheck', step: 'ready', detail: version });
  return async (epub) => {
    const folder = await mkdtemp(join(tmpdir(), 'longhaul-epub-'));
    try {
      const file = join(folder, 'checked.epub');
      const json = join(folder, 'report.json');
      await writeFile(file, epub);
      const checker = ['com.adobe.epubcheck.tool.Checker', file, '--json', json, '--usage'];
      const { output } = await attempt(path, ['-XX:TieredStopAtLevel=1', '-cp', classPath, ...checker], {
        timeoutMs: 120_000,
        tool: 'epubcheck',
        progress,
      });
      const text = await readFile(json, 'utf8').catch(() => {
        throw new Error(`EPUBCheck has left no report:\n${output}`);
      });
      return (JSON.parse(text) as Report).messages.map(({ severity, ID, message, locations: [first] }) => ({
        severity,
        id: ID,
        message,
        place: first ? `${first.path}:${first.line}` : '',
      }));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
}
