/**
 * Workflow engines from PyPI, each in a virtual environment of its own: what head jobs run on this machine.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { quoteForShell } from '../../../workflows/launch/sheet/template.ts';
import { cached, makeOnce } from './cache.ts';
import { GENOMICS_PACKAGES, GENOMICS_REMEDY } from './genomics.ts';
import { jars } from './jars.ts';
import { java } from './java.ts';
import type { Progress } from './progress.ts';
import { cachedVenv, type VenvTool } from './venv.ts';

/** Snakemake beside the tools that the example's steps call: rules run in the head's own image. */
export const snakemake = (progress: Progress): Promise<VenvTool> =>
  cachedVenv('snakemake', 'snakemake-9.27.1', ['snakemake==9.27.1', ...GENOMICS_PACKAGES], GENOMICS_REMEDY, progress);

export const cwltool = (progress: Progress): Promise<VenvTool> =>
  cachedVenv('cwltool', 'cwltool-3.3.20260925135507', ['cwltool==3.3.20260925135507'], 'see what pip says', progress);

export const miniwdl = (progress: Progress): Promise<VenvTool> =>
  cachedVenv('miniwdl', 'miniwdl-1.16.0', ['miniwdl==1.16.0'], 'see what pip says', progress);

/** What Nextflow's own launcher opens of the JDK (nextflow 24.10.5). */
const OPENED = [
  ...['lang', 'io', 'nio', 'net', 'util', 'util.concurrent', 'util.concurrent.atomic', 'util.regex'].map(
    (name) => `java.base/java.${name}`,
  ),
  ...['sun.nio.ch', 'sun.nio.fs', 'jdk.internal.misc', 'jdk.internal.vm'].map((name) => `java.base/${name}`),
];

/** Nextflow from its jars: its launcher would fetch itself from a place of its own. Without plug-ins. */
export async function nextflow(progress: Progress): Promise<Pick<VenvTool, 'bin'>> {
  const [{ path }, { classPath, version }] = await Promise.all([java(progress), jars('nextflow', progress)]);
  const opens = OPENED.map((name) => `--add-opens=${name}=ALL-UNNAMED`).join(' ');
  const script = [
    '#!/bin/sh',
    'export NXF_OFFLINE=true NXF_HOME="${NXF_HOME:-$HOME/.nextflow}"',
    `exec ${quoteForShell(path)} -XX:TieredStopAtLevel=1 ${opens} -cp ${quoteForShell(classPath)} nextflow.cli.Launcher "$@"`,
    '',
  ].join('\n');
  const key = createHash('sha256').update(script).digest('hex').slice(0, 12);
  const folder = `nextflow-launcher-${version}-${key}`;
  await makeOnce('nextflow', folder, progress, async (part) => {
    await writeFile(join(part, 'nextflow'), script);
    await chmod(join(part, 'nextflow'), 0o755);
  });
  progress({ tool: 'nextflow', step: 'ready', detail: cached(folder) });
  return { bin: cached(folder) };
}
