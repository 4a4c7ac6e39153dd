/**
 * The program of the containers `stage`, `keep` and `publish`: everything of the job contract that runs beside the user's
 * image; as `run`, around the user's command. Bundled into one file, because it starts twice for each job.
 *
 * @module
 */
import { S3Client } from '@aws-sdk/client-s3';
import { runRole } from './run.ts';

const s3 = new S3Client({ maxAttempts: 6 });
// The log of a container takes both streams; a console that is closed must not end the job.
const [, , role, ...args] = process.argv;
void runRole(role, s3, process.env, (line) => console.log(line), args).then((code) => process.exit(code));
