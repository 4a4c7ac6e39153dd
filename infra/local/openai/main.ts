/**
 * OpenAI's stand-in as a process of its own: `node dist/openai.js [--port <port>] [--models <id>,<id>] [--token-ms <ms>]
 * [--requests-per-minute <n>]`. Prints one line of JSON, `{"url": ...}`, once it answers; ends on SIGTERM, SIGINT, and when
 * its standard input ends, which it does when the process that started it is gone.
 *
 * @module
 */
import { parseArgs } from 'node:util';
import { serveUntilStopped } from '../kit/program.ts';
import { type OpenAiOptions, openOpenAi } from './server.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    models: { type: 'string' },
    'token-ms': { type: 'string' },
    'requests-per-minute': { type: 'string' },
  },
});
const options: OpenAiOptions = {
  port: Number(values.port),
  ...(values.models !== undefined && { models: values.models.split(',').filter(Boolean) }),
  ...(values['token-ms'] !== undefined && { tokenMs: Number(values['token-ms']) }),
  ...(values['requests-per-minute'] !== undefined && { requestsPerMinute: Number(values['requests-per-minute']) }),
};
if (Object.values(options).some((value) => Number.isNaN(value))) {
  console.error('usage: openai [--port <port>] [--models <id>,<id>] [--token-ms <ms>] [--requests-per-minute <n>]');
  process.exit(2);
}

const door = await openOpenAi(options);

serveUntilStopped(door);
