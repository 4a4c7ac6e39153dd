/**
 * Every workflow type: the worker's bundle starts here.
 *
 * @module
 */
export { cost } from './cost/workflow.ts';
export { launch } from './launch/workflow.ts';
export { order } from './order/workflow.ts';
export { batchPoller } from './poller/workflow.ts';
export { restore } from './restore/workflow.ts';
export { sessionsPurge } from './sessions/workflow.ts';
export { storyNight } from './story/night.ts';
export { story } from './story/workflow.ts';
export { teleprinter } from './teleprinter/workflow.ts';
