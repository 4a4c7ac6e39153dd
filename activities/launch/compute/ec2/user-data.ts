/**
 * What an instance does when it starts: it runs its share of a job, and ends. Pure. No value of a sheet stands in it.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html
 *
 * @module
 */
import { JOB_ENVIRONMENT } from '../../../../workflows/launch/model.ts';
import { quoteForShell } from '../../../../workflows/launch/sheet/template.ts';

export interface UserData {
  jobAddress: string;
  host: number;
  attempt: number;
  slots: number;
  /** How the job program is started. */
  program: string;
  scratch: string;
  /** After so long it ends whatever it does. */
  lifetimeMinutes: number;
  /** Of the worker's own, for the job program. */
  variables: Readonly<Record<string, string>>;
}

export function userData(of: UserData): string {
  const told = {
    ...of.variables,
    [JOB_ENVIRONMENT.hostJob]: of.jobAddress,
    [JOB_ENVIRONMENT.host]: String(of.host),
    [JOB_ENVIRONMENT.jobAttempt]: String(of.attempt),
    [JOB_ENVIRONMENT.hostSlots]: String(of.slots),
    ...(of.scratch && { [JOB_ENVIRONMENT.hostScratch]: of.scratch }),
  };
  const program = of.program.split(/\s+/).filter((word) => word !== '');
  return [
    '#!/bin/sh',
    // First of all, and by the system itself: an instance ends also when everything else fails.
    `shutdown -P +${of.lifetimeMinutes}`,
    "trap 'shutdown -P now' EXIT",
    ...Object.entries(told).map(([name, value]) => `export ${name}=${quoteForShell(value)}`),
    'cd /',
    [...program, 'host'].map(quoteForShell).join(' '),
    '',
  ].join('\n');
}
