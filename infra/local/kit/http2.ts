/**
 * HTTP/2 beside HTTP/1.1 on one port, without TLS. Some clients of the AWS SDK (Polly, Transcribe, …) speak HTTP/2
 * only; over http they begin with its preface, without asking (RFC 9113, 3.3).
 *
 * @module
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer, type Http2ServerRequest, type Http2ServerResponse, type Http2Session } from 'node:http2';
import type { Socket } from 'node:net';

/** The preface is `PRI * HTTP/2.0…`; no method of HTTP/1.1 begins so. */
const PREFACE = 'PRI';

/**
 * Lets a server of HTTP/1.1 take HTTP/2 too.
 * @param listener what the server answers requests with; those of HTTP/2 come in Node's own likeness of the older ones
 * @returns ends what is open of HTTP/2
 */
export function acceptHttp2(
  server: Server,
  listener: (incoming: IncomingMessage, outgoing: ServerResponse) => void,
): () => void {
  const [asHttp1] = server.listeners('connection') as ((this: Server, socket: Socket) => void)[];
  if (!asHttp1) throw new Error('the server does not listen for connections');
  const open = new Set<Socket>();
  const http2 = createServer((incoming: Http2ServerRequest, outgoing: Http2ServerResponse) => {
    listener(incoming as unknown as IncomingMessage, outgoing as unknown as ServerResponse);
  });
  // A client that goes away in the middle is no failure of ours.
  http2.on('sessionError', () => {});
  const asHttp2 = (socket: Socket) => {
    // The server of HTTP/1.1 leaves its half of a connection open when the client has closed the other.
    http2.once('session', (session: Http2Session) => session.once('close', () => socket.destroy()));
    http2.emit('connection', socket);
  };

  server.removeAllListeners('connection');
  server.on('connection', (socket) => {
    const ignore = () => {};
    const forget = () => open.delete(socket);
    socket.on('error', ignore);
    socket.once('close', forget);
    open.add(socket);
    const decide = () => {
      const begin = socket.read(PREFACE.length) as Buffer | null;
      if (begin === null) {
        if (!socket.readableEnded && !socket.destroyed) socket.once('readable', decide);
        return;
      }
      socket.unshift(begin);
      socket.off('error', ignore);
      if (begin.toString('latin1') === PREFACE) return asHttp2(socket);
      forget();
      socket.off('close', forget);
      asHttp1.call(server, socket);
    };
    decide();
  });
  return () => {
    for (const one of open) one.destroy();
  };
}
