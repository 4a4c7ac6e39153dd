/**
 * What the progress activities are made of.
 *
 * @module
 */
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { createProgressActivities } from '../activities/progress/index.ts';
import type { ProgressWriter } from '../lib/progress/log.ts';

/** An activity that publishes has 10 s. */
const PATIENCE = { connectionTimeout: 3_000, requestTimeout: 5_000, throwOnRequestTimeout: true } as const;

export const progressActivities = (writer: ProgressWriter) =>
  createProgressActivities({
    // It nudges by itself.
    writer,
    bus: { client: new EventBridgeClient({ maxAttempts: 3, requestHandler: PATIENCE }) },
  });
