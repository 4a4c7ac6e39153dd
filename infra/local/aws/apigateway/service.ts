/**
 * The stand-in for WebSocket APIs of Amazon API Gateway: clients connect at `/_apis/<apiId>/<stage>`, each message goes to
 * the HTTP proxy integration of its route, and the backend answers by PostToConnection. An API is put in by
 * `POST websocket-apis`; there is no authoriser, no custom domain and no other integration.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Kit } from '../../kit/front-door.ts';
import { AwsError, type AwsRequest, type AwsResponse, type AwsService, type PreparedCall } from '../../kit/service.ts';
import { ApiStore } from './apis.ts';
import { ApiConnection, QUOTAS } from './connection.ts';
import { FrameMeter } from './frames.ts';

const API_PATH = /^\/_apis\/([a-z0-9]+)\/([\w-]+)(?:\/@connections\/([^/]+))?$/;

/** Where the API of an id is: clients with `ws:`, the backend with `http:` as the client's endpoint. */
export const apiPath = (apiId: string, stage: string): string => `/_apis/${apiId}/${stage}`;

export function createApiGateway(options: { kit: Kit; directory: string }): { service: AwsService } {
  const { kit } = options;
  const apis = new ApiStore(options.directory);
  const connections = new Map<string, ApiConnection>();
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: QUOTAS.messageBytes,
    perMessageDeflate: false,
    // The integration has chosen already.
    handleProtocols: (_, request) => chosen.get(request) ?? false,
  });
  const chosen = new WeakMap<IncomingMessage, string>();
  kit.actions.set('POST websocket-apis', (input) => {
    const { apiId, stage } = apis.put(input);
    return { apiId, stage, path: apiPath(apiId, stage) };
  });

  async function connect(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const [, apiId = '', stage = '', rest] = API_PATH.exec((request.url ?? '').split('?')[0] ?? '') ?? [];
    const api = rest === undefined ? apis.find(apiId, stage) : undefined;
    if (!api) return refuse(socket, 403);
    const connection = new ApiConnection({ api, clock: kit.clock, request, domainName: request.headers.host ?? '' });
    connections.set(connection.id, connection);
    const { status, subprotocol } = await connection.ask();
    kit.calls.add({
      at: kit.clock.date().toISOString(),
      service: 'execute-api',
      operation: '$connect',
      subject: connection.id,
      status,
      error: '',
      principal: 'client',
    });
    if (status < 200 || status > 299 || socket.destroyed) {
      connections.delete(connection.id);
      return refuse(socket, status > 299 ? status : 500);
    }
    if (subprotocol !== undefined) chosen.set(request, subprotocol);
    const meter = new FrameMeter();
    sockets.handleUpgrade(request, socket, head, (accepted) => {
      connection.open(accepted);
      socket.prependListener('data', (chunk: Buffer) => {
        if (meter.take(chunk) > QUOTAS.frameBytes) accepted.close(1009, 'Message too long');
      });
      accepted.on('close', () => connections.delete(connection.id));
    });
  }

  return {
    service: {
      names: ['execute-api'],
      prepare: async (request) => prepare(request, connections),
      upgrade(request, socket, head) {
        if (!(request.url ?? '').startsWith('/_apis/')) return false;
        void connect(request, socket, head).catch(() => socket.destroy());
        return true;
      },
      renderError: (error) => ({
        status: error.status,
        headers: { 'content-type': 'application/json', 'x-amzn-errortype': error.code },
        body: JSON.stringify({ message: error.message, ...error.fields }),
      }),
      async close() {
        for (const socket of sockets.clients) socket.terminate();
        sockets.close();
        apis.close();
      },
    },
  };
}

async function prepare(request: AwsRequest, connections: ReadonlyMap<string, ApiConnection>): Promise<PreparedCall> {
  const [, apiId = '', stage = '', encoded] = API_PATH.exec(request.path) ?? [];
  const operation = { POST: 'PostToConnection', GET: 'GetConnection', DELETE: 'DeleteConnection' }[request.method];
  if (encoded === undefined || !operation) throw new AwsError('ForbiddenException', 'Forbidden', 403);
  const id = decodeURIComponent(encoded);
  const bytes = operation === 'PostToConnection' ? await request.bytes(QUOTAS.messageBytes * 8) : Buffer.alloc(0);
  return {
    operation,
    subject: id,
    async run(): Promise<AwsResponse> {
      if (bytes.length > QUOTAS.messageBytes)
        throw new AwsError('PayloadTooLargeException', 'Message too long', 413, {
          connectionId: id,
        });
      const connection = connections.get(id);
      if (!connection?.isOpen() || connection.api.apiId !== apiId || connection.api.stage !== stage)
        throw new AwsError('GoneException', 'GoneException', 410);
      if (operation === 'GetConnection') return { status: 200, ...asJson(describe(connection)) };
      if (operation === 'DeleteConnection') {
        connection.close(1001, 'Going away');
        return { status: 204 };
      }
      await connection.post(bytes);
      return { status: 200 };
    },
  };
}

const asJson = (body: unknown) => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

const describe = ({ connectedAt, lastActiveAt, identity }: ApiConnection) => ({
  connectedAt: new Date(connectedAt).toISOString(),
  lastActiveAt: new Date(lastActiveAt).toISOString(),
  identity,
});

function refuse(socket: Duplex, status: number): void {
  socket.end(`HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
