/**
 * One step over ten thousand items (jobs run inside the Batch stand-in): history, calls, planning.
 *
 *   npm run bench -- scale [--items 10000] [--json]
 *
 * @module
 */
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { openLonghaul } from '../support/longhaul.ts';
import { installModuleHelpers, launchWide } from '../support/scale.ts';
import { option, report } from './report.ts';

Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
const items = Number(option('items') ?? 10_000);
const longhaul = await openLonghaul({ LONGHAUL_LOG_LEVEL: 'warn', LONGHAUL_POLL_SECONDS: '30' });
try {
  await installModuleHelpers(longhaul, 'instant:1');
  const result = await launchWide(longhaul, 'wide-1', { items, failing: 0.01, image: 'instant:1', inputs: false });
  report({ ...result });
} finally {
  await longhaul.close();
}
process.exit(0);
