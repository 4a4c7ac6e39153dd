/**
 * Fetches and builds every tool ahead of time, with progress: tests must not run into their timeouts because of it.
 *
 * @module
 */
import { showProgress } from '../../../clients/cli/startup.ts';
import { tools } from './index.ts';

const { progress, end } = showProgress(process.stderr);
try {
  await Promise.all([
    tools.temporal(progress),
    tools.java(progress).then(() => Promise.all([tools.jars('dynamodb-local', progress), tools.testServer(progress)])),
    tools.genomics(progress),
    tools.voice(progress),
    // Of the tests alone.
    tools.snakemake(progress),
    tools.cwltool(progress),
    tools.miniwdl(progress),
    tools.nextflow(progress),
    tools.epubcheck(progress),
    tools.moto(progress),
  ]);
  // Browser tests are left out with this reason where there is none.
  await tools
    .chromium(progress)
    .catch((error: unknown) => console.error(error instanceof Error ? error.message : error));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  end();
}
