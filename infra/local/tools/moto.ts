/**
 * moto, which speaks EC2's protocol: for tests of what runs on instances.
 *
 * @module
 */
import type { Progress } from './progress.ts';
import { cachedVenv, type VenvTool } from './venv.ts';

export const moto = (progress: Progress): Promise<VenvTool> =>
  cachedVenv('moto', 'moto-5.2.5', ['moto[ec2,server]==5.2.5'], 'see what pip says', progress);
