/**
 * The stand-ins as a process of their own: `node dist/aws.js --directory <state> --port <port> --images-file <file>
 * [--dynamodb-port <port>]`. Prints one line of JSON, `{"url": ...}`, once it answers; ends on SIGTERM, SIGINT, and
 * when its standard input ends, which it does when the process that started it is gone.
 *
 * @module
 */
import { parseArgs } from 'node:util';
import { serveUntilStopped } from '../kit/program.ts';
import { openAws } from './server.ts';

const { values } = parseArgs({
  options: {
    directory: { type: 'string' },
    port: { type: 'string', default: '0' },
    'images-file': { type: 'string' },
    'dynamodb-port': { type: 'string' },
  },
});
const { directory, 'images-file': imagesFile, 'dynamodb-port': dynamodbPort } = values;
if (directory === undefined || imagesFile === undefined) {
  console.error('usage: aws --directory <folder> --images-file <file> [--port <port>] [--dynamodb-port <port>]');
  process.exit(2);
}

const door = await openAws({
  directory,
  imagesFile,
  port: Number(values.port),
  ...(dynamodbPort !== undefined && { dynamodb: { port: Number(dynamodbPort) } }),
});

serveUntilStopped(door);
