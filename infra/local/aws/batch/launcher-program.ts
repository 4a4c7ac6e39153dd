/**
 * The program of the process that starts containers (launcher.ts), as text: it runs by `node -e`, so that it is the same
 * from a built file and from a test. Output goes straight from a container to the stand-in, by sockets.
 *
 * @module
 */

/** What the launcher is told, and what it tells: one start, then one end. */
export interface StartMessage {
  id: string;
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
}

export type LauncherMessage =
  | { id: string; pid: number }
  | { id: string; error: string }
  | { id: string; code: number | null; signal: NodeJS.Signals | null };

/** Sent ahead on each socket: the container's id. */
export const HEADER_BYTES = 36;

/**
 * Sockets are closed here once the container has them, never ended: that would end the container's side too. The
 * fourth descriptor is the leash; it breaks when this process ends, which it does with the stand-in.
 */
export const LAUNCHER_PROGRAM = `
const { spawn } = require('node:child_process');
const { connect } = require('node:net');
const path = process.argv[1];
const tell = (message) => process.connected && process.send(message, () => {});
const open = (id) => new Promise((resolve, reject) => {
  const socket = connect(path);
  socket.once('error', reject);
  socket.write(id, () => resolve(socket));
});
process.on('message', async ({ id, argv, env, cwd }) => {
  let sockets = [];
  const close = () => sockets.splice(0).forEach((socket) => socket.destroy());
  try {
    sockets = await Promise.all([open(id), open(id)]);
    const child = spawn(argv[0], argv.slice(1), { cwd, env, stdio: ['ignore', ...sockets, 'pipe'], detached: true });
    child.once('error', (error) => { close(); tell({ id, error: error.message }); });
    child.once('spawn', () => { close(); tell({ id, pid: child.pid }); });
    child.once('exit', (code, signal) => tell({ id, code, signal }));
  } catch (error) {
    close();
    tell({ id, error: error.message });
  }
});
process.once('disconnect', () => process.exit(0));
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => {});
`;
