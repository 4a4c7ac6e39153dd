/**
 * All stand-ins behind one front door, in one process, with one clock and one place on disk.
 *
 * @module
 */
import { join } from 'node:path';
import { createKit, type FrontDoor, type Kit, openFrontDoor } from '../kit/front-door.ts';
import { createApiGateway } from './apigateway/service.ts';
import { createBatch } from './batch/service.ts';
import { createCostExplorer } from './cost-explorer/service.ts';
import { createDynamoDbProxy } from './dynamodb/proxy.ts';
import { createEc2 } from './ec2/service.ts';
import { createEcr } from './ecr/service.ts';
import { createEks } from './eks/service.ts';
import { createEvents } from './events/service.ts';
import { createFsx } from './fsx/service.ts';
import { createIam } from './iam/service.ts';
import { createLogs } from './logs/service.ts';
import { createPipes } from './pipes/service.ts';
import { createPolly } from './polly/service.ts';
import { LOCAL_PLACE, type Place } from './ports.ts';
import { createPricing } from './pricing/service.ts';
import { createRegistry } from './registry/service.ts';
import { createS3 } from './s3/service.ts';
import { createS3Control } from './s3control/service.ts';
import { createSns } from './sns/service.ts';
import { createSqs } from './sqs/service.ts';

export interface AwsOptions {
  /** Where objects, queues, logs and jobs are kept. */
  directory: string;
  /** 0 chooses a free port. */
  port?: number;
  place?: Place;
  /** JSON file that says what each container image is on this machine; read anew whenever one is asked for. */
  imagesFile: string;
  kit?: Kit;
  /** DynamoDB Local on this machine; without it the front door answers neither for DynamoDB nor for pipes. */
  dynamodb?: { port: number };
}

export interface Aws extends FrontDoor {
  kit: Kit;
  imagesFile: string;
}

export async function openAws(options: AwsOptions): Promise<Aws> {
  const { imagesFile } = options;
  const kit = options.kit ?? createKit();
  const place = options.place ?? LOCAL_PLACE;
  const at = (name: string) => ({ kit, place, directory: join(options.directory, name) });
  const sqs = await createSqs(at('sqs'));
  const events = await createEvents({ ...at('events'), queues: sqs.port });
  const logs = await createLogs(at('logs'));
  const s3 = await createS3({ ...at('s3'), queues: sqs.port, events: events.port });
  const s3control = createS3Control({ ...at('s3control'), objects: s3.port });
  const batch = await createBatch({
    ...at('batch'),
    events: events.port,
    logs: logs.port,
    imagesFile,
  });
  const iam = createIam(at('iam'));
  const lookedUp = [
    iam,
    createEc2({ kit, place, instances: batch.instances }),
    createEcr({ place, imagesFile }),
    createPricing({ kit }),
    createCostExplorer(at('cost-explorer')),
    createFsx(at('fsx')),
    createEks(at('eks')),
    createApiGateway(at('apigateway')),
    createPolly({ kit }),
    createSns({ ...at('sns'), queues: sqs.port }),
    createRegistry({ imagesFile }),
  ];
  // S3 Batch Operations is closed before the objects it works on.
  const services = [s3control, sqs, events, logs, s3, batch, ...lookedUp].map(({ service }) => service);
  const dynamodb = options.dynamodb && { host: '127.0.0.1', port: options.dynamodb.port };
  const pipes = dynamodb && createPipes({ ...at('pipes'), queues: sqs.port, dynamodb });
  // Closed before the queues it puts messages into.
  if (pipes) services.unshift(pipes.service);
  if (dynamodb) services.push(createDynamoDbProxy(dynamodb));
  const door = await openFrontDoor(kit, services, options.port);
  kit.actions.set('POST lose-instance', ({ instanceId, zombies }) => {
    // All of them at one moment: a job of one must not be placed on the next.
    const ids = instanceId === undefined ? batch.instanceIds() : [String(instanceId)];
    return { lost: ids.filter((id) => batch.loseInstance(id, zombies === true)) };
  });
  kit.actions.set('GET instances', () => ({ instanceIds: batch.instanceIds() }));
  // Jobs call back through the front door, so they start only once its address is known.
  await batch.start({ endpointUrl: door.url });
  pipes?.start();
  return { ...door, kit, imagesFile };
}
