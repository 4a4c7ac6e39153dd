/**
 * Java programs from Maven Central, by a pinned list of files with their checksums: fast, verified, and without
 * Maven. Where the repository is out of reach, an installed `mvn` (with its own mirrors) is asked.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cached, makeOnce } from './cache.ts';
import dynamodbLocal from './jars/dynamodb-local.json' with { type: 'json' };
import epubcheck from './jars/epubcheck.json' with { type: 'json' };
import nextflow from './jars/nextflow.json' with { type: 'json' };
import temporalTestServer from './jars/temporal-test-server.json' with { type: 'json' };
import { everySecond, type Progress, ToolError } from './progress.ts';
import { onPath, run } from './run.ts';
import { megabytes } from './sdk-download.ts';

export interface JarList {
  /** `group:artifact:version` of the program itself. */
  coordinate: string;
  /** Every jar of the class path, under a repository's root. */
  files: { path: string; sha256: string; size: number }[];
}

const LISTS = {
  'dynamodb-local': dynamodbLocal,
  epubcheck,
  nextflow,
  'temporal-test-server': temporalTestServer,
} satisfies Record<string, JarList>;

export type JarName = keyof typeof LISTS;

export interface Jars {
  directory: string;
  /** For `java -cp`. */
  classPath: string;
  version: string;
}

/** Maven Central, unless LONGHAUL_MAVEN_REPOSITORY names another repository of the same layout. */
const repository = () => process.env.LONGHAUL_MAVEN_REPOSITORY || 'https://repo.maven.apache.org/maven2';

const PARALLEL = 8;
const FILE_TIMEOUT_MS = 60_000;

function versionOfList(list: JarList): string {
  return list.coordinate.split(':')[2] ?? '';
}

/** Where the jars are, or would be. */
export function jarsFolder(name: JarName): string {
  return cached(`${name}-${versionOfList(LISTS[name])}`);
}

export async function jars(name: JarName, progress: Progress): Promise<Jars> {
  const list: JarList = LISTS[name];
  const folder = basename(jarsFolder(name));
  let way = 'fetched before';
  const directory = await makeOnce(name, folder, progress, async (part) => {
    const tried: string[] = [];
    for (const [told, fetchAll] of [
      [`fetched from ${repository()}`, download],
      ['fetched by mvn', askMaven],
    ] as const) {
      try {
        await fetchAll(name, list, part, progress);
        way = told;
        return;
      } catch (error) {
        tried.push(`${told}: ${(error as Error).message}`);
      }
    }
    throw new ToolError(name, 'its jars could not be fetched', {
      tried,
      remedy: 'check the network, or set LONGHAUL_MAVEN_REPOSITORY to a mirror of Maven Central',
    });
  });
  progress({ tool: name, step: way, detail: directory });
  return { directory, classPath: join(directory, '*'), version: versionOfList(list) };
}

/** Downloads and verifies a list's files into `directory`; the first that fails ends all. */
export async function download(name: string, list: JarList, directory: string, progress: Progress): Promise<void> {
  const total = list.files.reduce((sum, file) => sum + file.size, 0);
  let bytes = 0;
  const queue = [...list.files];
  const abort = new AbortController();
  const stopTelling = everySecond((seconds) =>
    progress({
      tool: name,
      step: 'downloading',
      detail: `${megabytes(bytes)} of ${megabytes(total)} MB, ${seconds} s`,
      percent: Math.round((100 * bytes) / total),
    }),
  );
  progress({
    tool: name,
    step: 'downloading',
    detail: `${list.files.length} files, ${megabytes(total)} MB`,
    percent: 0,
  });
  const work = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const signal = AbortSignal.any([abort.signal, AbortSignal.timeout(FILE_TIMEOUT_MS)]);
      const answer = await fetch(`${repository()}/${file.path}`, { signal }).catch((error: Error) => {
        throw new Error(`${file.path}: ${(error.cause as Error | undefined)?.message ?? error.message}`);
      });
      if (!answer.ok) throw new Error(`${file.path}: HTTP ${answer.status}`);
      const content = Buffer.from(await answer.arrayBuffer());
      verify(file, content);
      await writeFile(join(directory, basename(file.path)), content);
      bytes += file.size;
    }
  };
  const workers = Array.from({ length: PARALLEL }, work);
  try {
    await Promise.all(workers);
  } catch (error) {
    abort.abort();
    // None may still be writing into a folder that is about to be removed.
    await Promise.allSettled(workers);
    throw error;
  } finally {
    stopTelling();
  }
}

function verify(file: JarList['files'][number], content: Buffer): void {
  const sha256 = createHash('sha256').update(content).digest('hex');
  if (sha256 !== file.sha256) throw new Error(`${file.path}: its checksum is ${sha256}, expected ${file.sha256}`);
}

/** Lets mvn fetch exactly the pinned files, and checks them like any others. */
async function askMaven(name: JarName, list: JarList, directory: string, progress: Progress): Promise<void> {
  const mvn = onPath('mvn');
  if (mvn === undefined) throw new Error('mvn is not on PATH');
  const work = join(directory, 'maven');
  await mkdir(work);
  await writeFile(join(work, 'pom.xml'), projectFor(list));
  await run(
    mvn,
    [
      '-B',
      '-q',
      'dependency:copy-dependencies',
      '-DoutputDirectory=jars',
      '-DincludeScope=runtime',
      '-DincludeTypes=jar',
    ],
    { cwd: work, tool: name, step: 'fetching by mvn', progress, timeoutMs: 10 * 60_000 },
  );
  const got = new Set(await readdir(join(work, 'jars')));
  for (const file of list.files) {
    const jar = basename(file.path);
    if (!got.has(jar)) throw new Error(`mvn did not bring ${jar}`);
    verify(file, await readFile(join(work, 'jars', jar)));
    await copyFile(join(work, 'jars', jar), join(directory, jar));
  }
  await rm(work, { recursive: true });
}

/** Each pinned file as a dependency that brings nothing along: Maven must not choose versions of its own. */
function projectFor(list: JarList): string {
  const alone = '<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>';
  const dependencies = list.files.map((file) => {
    const [version, artifact, ...group] = file.path.split('/').slice(0, -1).reverse();
    const coordinate = `<groupId>${group.reverse().join('.')}</groupId><artifactId>${artifact}</artifactId>`;
    const rest = basename(file.path, '.jar').slice(`${artifact}-${version}-`.length);
    const classifier = rest === '' ? '' : `<classifier>${rest}</classifier>`;
    return `<dependency>${coordinate}<version>${version}</version>${classifier}${alone}</dependency>`;
  });
  return [
    '<project><modelVersion>4.0.0</modelVersion>',
    '<groupId>local</groupId><artifactId>jars</artifactId><version>1</version>',
    `<dependencies>${dependencies.join('')}</dependencies></project>`,
  ].join('');
}

/** Whether the jars are in the cache. */
export function hasJars(name: JarName): boolean {
  return existsSync(jarsFolder(name));
}
