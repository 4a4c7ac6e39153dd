/**
 * The time-skipping test server as one executable file, for
 * `TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } })`.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeOnce } from './cache.ts';
import { jars } from './jars.ts';
import { java } from './java.ts';
import { JETTY_MAIN, testServerXml } from './jetty.ts';
import { type Progress, ToolError } from './progress.ts';
import { sdkDownload, sdkDownloaded } from './sdk-download.ts';

export interface TestServerTool {
  path: string;
  found: string;
}

/**
 * The SDK's own download where it is there already; else a wrapper around Java; else the download is tried.
 * @throws ToolError when neither way works
 */
export async function testServer(progress: Progress): Promise<TestServerTool> {
  const tool = 'temporal-test-server';
  const downloaded = await sdkDownloaded(tool);
  if (downloaded !== undefined) {
    progress({ tool, step: "found: the Temporal SDK's download", detail: downloaded });
    return { path: downloaded, found: "the Temporal SDK's download" };
  }
  try {
    return { path: await wrapper(progress), found: 'the Maven artifact, run by Java' };
  } catch (error) {
    const path = await sdkDownload(tool, progress).catch((second: Error) => {
      throw new ToolError(tool, 'could not be had', {
        tried: [(error as Error).message, `the Temporal SDK's download: ${second.message}`],
        remedy: 'install Java 17 or later and check the network',
        cause: error,
      });
    });
    return { path, found: 'downloaded by the Temporal SDK' };
  }
}

async function wrapper(progress: Progress): Promise<string> {
  const { path, version } = await java(progress);
  const { classPath, version: server } = await jars('temporal-test-server', progress);
  const script = [
    '#!/bin/sh',
    'port="$1"; locked=true; case " $* " in *" --enable-time-skipping "*) locked=false ;; esac',
    `exec ${quote(path)} -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp ${quote(classPath)} ${JETTY_MAIN} "port=$port" "locked=$locked" "\${0%/*}/server.xml"`,
    '',
  ].join('\n');
  // What the wrapper holds is in its name: another Java, or another cache folder, is another wrapper.
  const key = createHash('sha256').update(script).update(testServerXml()).digest('hex').slice(0, 12);
  const folder = `temporal-test-server-launcher-${server}-${key}`;
  const directory = await makeOnce('temporal-test-server', folder, progress, async (part) => {
    await writeFile(join(part, 'server.xml'), testServerXml());
    await writeFile(join(part, 'temporal-test-server'), script);
    await chmod(join(part, 'temporal-test-server'), 0o755);
  });
  progress({ tool: 'temporal-test-server', step: `runs on Java ${version}`, detail: directory });
  return join(directory, 'temporal-test-server');
}

/** For sh: in single quotes, where only the quote itself is special. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
