/** The clients of stories: what was cut off is not taken for whole, and no mail is sent by a retry. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SynthesizeSpeechCommand } from '@aws-sdk/client-polly';
import { PublishCommand } from '@aws-sdk/client-sns';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { QUOTAS } from '../../lib/pacing/quotas.ts';
import { tableNames } from '../../lib/store/tables.ts';
import { createStoryClients, type StoryClients } from '../../lib/story/clients.ts';

let server: Server;
let dynamodb: DynamoDBClient;
let clients: StoryClients;
let requests: string[];
let respond: (response: ServerResponse) => void;
const warnings: string[] = [];

beforeEach(async () => {
  requests = [];
  warnings.length = 0;
  server = createServer((request, response) => {
    requests.push(request.url ?? '');
    request.resume();
    respond(response);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'unit');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'unit');
  // Where no table is: then a process paces alone.
  dynamodb = new DynamoDBClient({ endpoint: 'http://127.0.0.1:9', maxAttempts: 1 });
  clients = createStoryClients({ dynamodb, tables: tableNames(''), warn: (message) => warnings.push(message) });
});
afterEach(async () => {
  clients.destroy();
  dynamodb.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  vi.unstubAllEnvs();
});

const speak = () =>
  clients.polly.send(new SynthesizeSpeechCommand({ Text: 'Good night', OutputFormat: 'mp3', VoiceId: 'Amy' }));

it('knows a sound that was cut off', async () => {
  respond = (response) => {
    response.writeHead(200, { 'content-type': 'audio/mpeg' });
    response.write(Buffer.alloc(1_000), () => response.destroy());
  };

  const { AudioStream } = await speak();

  await expect(AudioStream?.transformToByteArray()).rejects.toThrow('aborted');
});

it('asks the table of quotas before it speaks', async () => {
  respond = (response) => response.end('sound');

  await speak();

  expect(warnings).toEqual([expect.stringContaining('the table Quotas cannot be used')]);
  expect(QUOTAS.find(({ serviceId }) => serviceId === clients.polly.config.serviceId)).toMatchObject({
    api: 'SynthesizeSpeech',
    perSecond: 8,
  });
});

it('sends a mail once, whatever comes of it', async () => {
  respond = (response) => response.writeHead(500).end();

  await expect(
    clients.sns.send(new PublishCommand({ TopicArn: 'arn:aws:sns:us-east-1:123456789012:moon', Message: 'x' })),
  ).rejects.toThrow();

  expect(requests).toHaveLength(1);
});
