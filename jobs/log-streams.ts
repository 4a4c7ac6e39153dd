/**
 * How ECS names the log streams of a task: `<prefix>/<container>/<task id>`, so one tells the others.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-log-config.html
 *
 * @module
 */

export type JobContainer = 'stage' | 'main' | 'publish';

/**
 * The streams of all containers of a job, by that of one of them.
 * @returns undefined for a stream of another form
 */
export function taskStreams(container: JobContainer, stream: string): Record<JobContainer, string> | undefined {
  // ECS may put the task's name before the container's.
  const [, before, own, after] = /^(.*[/-])([a-z]+)(\/[^/]+)$/.exec(stream) ?? [];
  if (own !== container || before === undefined || after === undefined) return undefined;
  const named = (name: JobContainer) => `${before}${name}${after}`;
  return { stage: named('stage'), main: named('main'), publish: named('publish') };
}

/** Of a job in one process, by the same form. */
export function streamsOf(jobName: string, attemptName: string): Record<JobContainer, string> {
  const named = (name: JobContainer) => `${jobName}/${name}/${attemptName}`;
  return { stage: named('stage'), main: named('main'), publish: named('publish') };
}
