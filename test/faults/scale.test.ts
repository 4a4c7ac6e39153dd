/**
 * A wide step in few calls and few events. Its jobs run inside the Batch stand-in, or this would measure the machine;
 * `npm run bench -- scale` does the same with 10,000 items.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Longhaul, openLonghaul } from '../support/longhaul.ts';
import { installModuleHelpers, launchWide } from '../support/scale.ts';

const ITEMS = 600;
/** Whatever the number of items: registering, planning, submitting, reviewing, the events of two jobs, telling of it. */
const CALLS_OF_ANY_LAUNCH = 90;

let longhaul: Longhaul;
beforeAll(async () => {
  longhaul = await openLonghaul({ LONGHAUL_POLL_SECONDS: '30' });
  await installModuleHelpers(longhaul, 'instant:1');
});
afterAll(() => longhaul?.close());

it('makes no call for each child, and again only for those that failed', async () => {
  const names = Array.from({ length: ITEMS }, (_, index) => `s${index}`);
  for (let first = 0; first < names.length; first += 50)
    await Promise.all(names.slice(first, first + 50).map((name) => longhaul.put(`data/wide-1/${name}.txt`, name)));

  const result = await launchWide(longhaul, 'wide-1', {
    items: ITEMS,
    failing: 0.02,
    image: 'instant:1',
    inputs: true,
  });

  console.log(`${ITEMS} items: ${JSON.stringify(result)}`);
  expect(result).toMatchObject({ status: 'COMPLETE', generations: 2 });
  // Per thousand items one more page of each listing; per hundred failed ones one more description.
  expect(result.callsPerJob * ITEMS).toBeLessThan(CALLS_OF_ANY_LAUNCH + ITEMS * 0.02);
  expect(result.historyEvents).toBeLessThan(200);
});
