/**
 * A process of its own that submits many jobs at once through Longhaul's own clients, as a worker would. Told where by
 * its arguments: table prefix, job queue, job definition, first part of the jobs' names, how many.
 *
 * @module
 */
import { SubmitJobCommand } from '@aws-sdk/client-batch';
import { createAwsClients } from '../../lib/aws-clients.ts';
import { tableNames } from '../../lib/store/tables.ts';

const [, , prefix = '', jobQueue = '', jobDefinition = '', name = '', count = '0'] = process.argv;
const aws = createAwsClients({ tables: tableNames(prefix) });

async function submit(jobName: string): Promise<void> {
  for (;;) {
    try {
      await aws.submitter.send(new SubmitJobCommand({ jobName, jobQueue, jobDefinition }));
      return;
    } catch (error) {
      // Refused, so there is no job; Temporal would come again too.
      if ((error as Error).name !== 'TooManyRequestsException') throw error;
    }
  }
}

process.once('message', () => {
  Promise.all(Array.from({ length: Number(count) }, (_, nth) => submit(`${name}-${nth}`))).then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.send?.('ready');
