/** A secret in a sheet: in no history while the payload codec is on, and in no log ever. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { silent, tools } from '../../infra/local/tools/index.ts';
import { workflowIdOf } from '../../workflows/launch/model.ts';
import { sheet } from '../support/live-sheet.ts';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';

const SECRET = 'canary-9f1c-do-not-spread';
let longhaul: Longhaul;

beforeAll(async () => {
  longhaul = await openLonghaul({
    LONGHAUL_PAYLOAD_KEY: randomBytes(32).toString('base64'),
    LONGHAUL_LOG_LEVEL: 'debug',
  });
});
afterAll(() => longhaul?.close());

const linesWithSecret = async () => (await longhaul.logs()).split('\n').filter((line) => line.includes(SECRET));

/** The history as the server has it, by a client that has no key. */
async function rawHistory(launchId: string): Promise<string> {
  const { path } = await tools.temporal(silent);
  const address = longhaul.platform.urls.temporal;
  const args = ['workflow', 'show', '-w', workflowIdOf(launchId), '--output', 'json', '--address', address];
  const { stdout } = await longhaul.run(path, ...args);
  // Payloads are base64 in this form: decoded, so that nothing hides there.
  const decoded = [...stdout.matchAll(/"data": "([A-Za-z0-9+/=]+)"/g)].map(([, data = '']) =>
    Buffer.from(data, 'base64').toString('latin1'),
  );
  return `${stdout}\n${decoded.join('\n')}`;
}

it('stays out of histories and logs, also when the step that has it fails and prints it', async () => {
  const steps = {
    uses: { command: 'echo ${{ parameters.token }} > out', outputs: { out: 'out' }, environment: { TOKEN: SECRET } },
    spills: { command: 'echo the token is ${{ parameters.token }} >&2\nexit 9', after: ['uses'] },
  };
  await longhaul.put('sheets/lab-a/secret.yaml', sheet('secret-1', steps, { parameters: { token: SECRET } }));

  const { status, error } = await longhaul.follow('secret-1');

  // The user of this launch does read it: it is in the log of their own job.
  expect(status).toBe('FAILED');
  expect(error?.message).toContain(`the token is ${SECRET}`);
  const history = await rawHistory('secret-1');
  expect(history).toContain('encryption-key-id');
  expect(history).not.toContain(SECRET);
  expect(history).not.toContain('s3://longhaul/sheets');
  expect(await linesWithSecret()).toEqual([]);
});

it('stays out when the sheet itself is refused', async () => {
  const text = sheet('refused-1', { a: { command: 'true' } }, { parameters: { token: [SECRET] as unknown as string } });
  await longhaul.put('sheets/lab-a/refused.yaml', text);

  const { status, error } = await longhaul.follow('refused-1');

  expect(status).toBe('FAILED');
  expect(error?.message).not.toContain(SECRET);
  expect(await rawHistory('refused-1')).not.toContain(SECRET);
  expect(await linesWithSecret()).toEqual([]);
});
