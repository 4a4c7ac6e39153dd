/**
 * eSpeak NG, the speech synthesiser, as a library with its data: what the stand-in for Polly speaks by.
 *
 * @module
 */
import { cached } from './cache.ts';
import type { Progress } from './progress.ts';
import { cachedVenv, type VenvTool } from './venv.ts';

const VERSION = '0.2.4';
const FOLDER = `voice-espeakng-loader-${VERSION}`;

export const voiceFolder = () => cached(FOLDER);

export const voice = (progress: Progress): Promise<VenvTool> =>
  cachedVenv(
    'voice',
    FOLDER,
    [`espeakng-loader==${VERSION}`],
    'espeakng-loader has wheels for Linux and macOS, on x86-64 and ARM; see what pip says',
    progress,
  );
