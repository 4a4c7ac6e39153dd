/**
 * The gateway as a program.
 *
 * @module
 */
import { networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ApiGatewayManagementApiClient } from '@aws-sdk/client-apigatewaymanagementapi';
import { createAwsClients } from '../../lib/aws-clients.ts';
import { createLogger } from '../../lib/log.ts';
import { announceGateway } from '../../lib/progress/announce.ts';
import { readSettings } from '../../lib/settings.ts';
import { createConnectionsStore } from '../../lib/store/connections.ts';
import { gatewayTable, heldConnections } from '../../lib/store/gateways.ts';
import { ProgressStore } from '../../lib/store/progress.ts';
import { progressTable } from '../../lib/store/progress-table.ts';
import { createSessionsStore } from '../../lib/store/sessions.ts';
import { StoryStore } from '../../lib/store/stories.ts';
import { tableNames } from '../../lib/store/tables.ts';
import { connectTemporal } from '../../lib/temporal/client.ts';
import packageFile from '../../package.json' with { type: 'json' };
import { createTokens } from './auth/tokens.ts';
import { connectionsApi } from './hosted/api.ts';
import { apiDependencies } from './http/dependencies.ts';
import { registerApi } from './http/index.ts';
import { SAMPLES } from './samples/index.ts';
import { ensureSchedule } from './schedule.ts';
import { createGateway } from './server.ts';
import { gatewaySettings } from './settings.ts';

/** Set at build time: the built console lies beside the built program. */
declare const LONGHAUL_BUILT: boolean | undefined;

const built = (folder: string): string =>
  fileURLToPath(
    new URL(typeof LONGHAUL_BUILT === 'undefined' ? `../../dist/${folder}` : `./${folder}`, import.meta.url),
  );

async function main(): Promise<void> {
  const settings = readSettings(process.env);
  const own = gatewaySettings(settings);
  const log = createLogger('gateway', settings.logLevel);
  const warn = (message: string) => log.warn(message);
  const tables = tableNames(settings.tablePrefix);
  const aws = createAwsClients({ tables, warn });
  const { client, close } = await connectTemporal(settings);
  const progress = new ProgressStore(progressTable(aws.dynamodb, tables), { warn });
  const api = apiDependencies({
    settings,
    aws,
    client,
    progress,
    auth: own.open ? 'open' : 'jwt',
    version: packageFile.version,
  });
  let address = '';
  const gateway = await createGateway({
    settings: own,
    log,
    reader: progress,
    connections: createConnectionsStore(aws.dynamodb, tables),
    sessions: createSessionsStore(aws.dynamodb, tables),
    client,
    requests: SAMPLES,
    registerApi: (app) => registerApi(app, api),
    console: built('console'),
    samples: built('samples'),
    stories: {
      store: new StoryStore(aws.dynamodb, tables),
      s3: aws.s3,
      bucket: settings.bucket,
      linkKey: settings.storyLinkKey,
      assets: built('stories'),
      pictureSize: sizeOf(settings.storyImageSize),
    },
    ...(settings.gatewayHosted && {
      hosted: {
        api: connectionsApi(new ApiGatewayManagementApiClient({ endpoint: settings.gatewayHosted })),
        held: heldConnections(aws.dynamodb, tables),
        url: () => reachable(address),
      },
    }),
    ...(own.tokens && { tokens: await createTokens(own.tokens) }),
  });
  address = await gateway.listen();
  const announcement = await announceGateway({
    table: gatewayTable(aws.dynamodb, tables),
    id: gateway.id,
    url: reachable(address),
    warn,
  });
  // Without it sessions are still forgotten: when their user comes back, or by the table's time to live.
  await ensureSchedule(client).catch((error: unknown) =>
    log.warn({ error: (error as Error).name }, 'the schedule that forgets users who are away could not be made'),
  );
  log.info({ address, auth: own.open ? 'open' : 'jwt' }, 'the gateway listens');
  if (own.open) log.warn({ address }, 'it is open: whoever can reach this machine may see and cancel every run');
  await new Promise((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  await announcement.withdraw().catch(() => {});
  await gateway.close();
  await close();
}

/** @param size `1024x1024` */
function sizeOf(size: string): { width: number; height: number } {
  const [width = 0, height = 0] = size.split('x').map(Number);
  return { width, height };
}

/** Where others reach it: an address that means all of this machine's is one of them. */
function reachable(address: string): string {
  const url = new URL(address);
  if (!['0.0.0.0', '[::]'].includes(url.hostname)) return address;
  const own = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4');
  url.hostname = own?.address ?? '127.0.0.1';
  return url.origin;
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
