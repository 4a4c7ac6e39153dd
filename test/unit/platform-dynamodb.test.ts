/**
 * DynamoDB behind the front door: handed on unchanged, with the call log and the fault plan.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  BatchGetItemCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDynamoDbProxy } from '../../infra/local/aws/dynamodb/proxy.ts';
import { createKit, type FrontDoor, type Kit, openFrontDoor } from '../../infra/local/kit/front-door.ts';

let backend: Server;
let seen: { headers: IncomingMessage['headers']; body: string }[];
let kit: Kit;
let door: FrontDoor;
let client: DynamoDBClient;

beforeEach(async () => {
  seen = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    seen.push({ headers: request.headers, body });
    if (body.includes('nothing')) {
      const error = { __type: 'com.amazonaws.dynamodb.v20120810#ResourceNotFoundException', message: 'no such table' };
      response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(error));
    } else {
      response.writeHead(200, { 'x-amzn-requestid': 'theirs' }).end('{"Item":{"a":{"S":"ä"}},"TableNames":[]}');
    }
  };
  backend = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  kit = createKit();
  const target = { host: '127.0.0.1', port: (backend.address() as AddressInfo).port };
  door = await openFrontDoor(kit, [createDynamoDbProxy(target)]);
  client = new DynamoDBClient({
    region: 'us-east-1',
    endpoint: door.url,
    credentials: { accessKeyId: 'caller', secretAccessKey: 'x' },
    maxAttempts: 1,
  });
});

afterEach(async () => {
  client.destroy();
  await door.close();
  backend.closeAllConnections();
  await new Promise((resolve) => backend.close(resolve));
});

describe('DynamoDB behind the front door', () => {
  it('hands request and answer on unchanged', async () => {
    const answer = await client.send(new GetItemCommand({ TableName: 'Launches', Key: { id: { S: 'ü' } } }));
    expect(answer.Item).toEqual({ a: { S: 'ä' } });
    expect(answer.$metadata.requestId).toBe('theirs');
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ TableName: 'Launches', Key: { id: { S: 'ü' } } });
    expect(seen[0]?.headers['x-amz-target']).toBe('DynamoDB_20120810.GetItem');
    expect(seen[0]?.headers.authorization).toContain('Credential=caller/');
  });

  it('notes operation, tables and caller of each call', async () => {
    const key = { id: { S: '1' } };
    await client.send(new ListTablesCommand({}));
    await client.send(new GetItemCommand({ TableName: 'arn:aws:dynamodb:us-east-1:1:table/Launches', Key: key }));
    await client.send(
      new BatchGetItemCommand({ RequestItems: { Sessions: { Keys: [key] }, Ledger: { Keys: [key] } } }),
    );
    await client.send(
      new TransactWriteItemsCommand({
        TransactItems: [
          { Put: { TableName: 'Quotas', Item: key } },
          { Delete: { TableName: 'Ledger', Key: key } },
          { Put: { TableName: 'Ledger', Item: key } },
        ],
      }),
    );
    expect(kit.calls.list().map(({ operation, subject, principal }) => [operation, subject, principal])).toEqual([
      ['ListTables', '', 'caller'],
      ['GetItem', 'Launches/1', 'caller'],
      ['BatchGetItem', 'Ledger,Sessions', 'caller'],
      ['TransactWriteItems', 'Ledger,Quotas', 'caller'],
    ]);
  });

  it("lets DynamoDB's own errors through", async () => {
    const failing = client.send(new GetItemCommand({ TableName: 'nothing', Key: { id: { S: '1' } } }));
    await expect(failing).rejects.toMatchObject({ name: 'ResourceNotFoundException', message: 'no such table' });
    expect(kit.calls.list()[0]).toMatchObject({ status: 400 });
  });

  it('throttles a table when the fault plan says so, without DynamoDB being asked', async () => {
    kit.faults.set([{ service: 'dynamodb', operation: 'GetItem', subject: 'Ledger', effect: 'throttle' }]);
    const key = { id: { S: '1' } };
    await client.send(new GetItemCommand({ TableName: 'Launches', Key: key }));
    const throttled = client.send(new GetItemCommand({ TableName: 'Ledger', Key: key }));
    await expect(throttled).rejects.toMatchObject({ name: 'ThrottlingException' });
    expect(seen).toHaveLength(1);
  });

  it('can lose the answer after the effect', async () => {
    kit.faults.set([{ service: 'dynamodb', effect: 'reset', when: 'after' }]);
    await expect(client.send(new ListTablesCommand({}))).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect(seen).toHaveLength(1);
  });

  it('answers with an error the SDKs retry while DynamoDB Local is down', async () => {
    await client.send(new ListTablesCommand({}));
    backend.closeAllConnections();
    await new Promise((resolve) => backend.close(resolve));
    const failing = client.send(new ListTablesCommand({}));
    await expect(failing).rejects.toMatchObject({ name: 'InternalServerError', $metadata: { httpStatusCode: 500 } });
  });

  it('refuses what is no operation', async () => {
    const answer = await fetch(door.url, {
      method: 'POST',
      headers: { authorization: 'AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, x' },
    });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('x-amzn-errortype')).toBe('UnknownOperationException');
  });
});
