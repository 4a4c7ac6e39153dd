/**
 * What a container image is on this machine: images.json maps image references to commands.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';

export interface Image {
  entrypoint?: readonly string[];
  command?: readonly string[];
  /** Directories put before PATH. */
  path?: readonly string[];
  environment?: Readonly<Record<string, string>>;
  /**
   * Instead of a process: a module whose `run` is called in the stand-in itself (`ModuleRun` of batch/images.ts). For
   * loads of thousands of jobs, which as processes would measure the machine.
   */
  module?: string;
}

/** The file, read anew: a person may add to it at any time. */
export async function readImages(file: string): Promise<Readonly<Record<string, Image>>> {
  return JSON.parse(await readFile(file, 'utf8')) as Record<string, Image>;
}
