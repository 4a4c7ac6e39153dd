/**
 * The embedded platform's public surface.
 *
 * @module
 */
export type { PlatformEnvironment } from './environment.ts';
export {
  dropState,
  findPlatform,
  type Platform,
  type PlatformOptions,
  type PlatformPlace,
  startPlatform,
  stopPlatform,
} from './platform.ts';
export type { Ports } from './ports.ts';
export type { PlatformRecord } from './record.ts';
export type { ExtraProcess } from './services.ts';
export { stateDirectoryOf } from './state.ts';
export type { RecordedChild, ServiceStatus } from './supervised.ts';
export type { SearchAttributeType } from './temporal.ts';
