/**
 * A stand-in as a process of its own: it says where it answers, and ends with whoever started it.
 *
 * @module
 */
import type { FrontDoor } from './front-door.ts';

/**
 * Prints one line of JSON, `{"url": ...}`; ends on SIGTERM, SIGINT, and when standard input ends, which it does when the
 * process that started it is gone.
 */
export function serveUntilStopped(door: Pick<FrontDoor, 'url' | 'close'>): void {
  let closing = false;
  function close(): void {
    if (closing) return;
    closing = true;
    door.close().then(
      () => process.exit(0),
      (error) => {
        console.error('closing failed', error);
        process.exit(1);
      },
    );
  }
  process.once('SIGTERM', close);
  process.once('SIGINT', close);
  process.stdin.resume().once('end', close).once('error', close);
  console.log(JSON.stringify({ url: door.url }));
}
