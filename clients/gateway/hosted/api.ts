/**
 * API Gateway's management API of one WebSocket API.
 *
 * @module
 */
import {
  type ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import type { ConnectionsApi } from './transport.ts';

/** @param client its endpoint is the stage's: `https://<api id>.execute-api.<region>.amazonaws.com/<stage>` */
export const connectionsApi = (client: ApiGatewayManagementApiClient): ConnectionsApi => ({
  async post(ConnectionId, Data) {
    await client.send(new PostToConnectionCommand({ ConnectionId, Data }));
  },
  async end(ConnectionId) {
    await client.send(new DeleteConnectionCommand({ ConnectionId }));
  },
});
