/**
 * The answer to whoever has asked a run to end.
 *
 * @module
 */
import type { CancelRequest } from '../../cancel.ts';
import { ApiProblem } from './errors.ts';
import { answers, body, optional, ref } from './schemas.ts';

/** Of the schema of each such route. */
export const CANCELS = {
  body: optional(body({})),
  response: answers(ref('Ended'), { also: [409], description: 'It has been asked; the status is that of before.' }),
};

/**
 * @param where says what may be done with it
 * @throws ApiProblem 409
 */
export function ended<Status>(
  workflowId: string,
  asked: CancelRequest<Status>,
  where: string,
): { workflowId: string; status: Status } {
  if (asked.outcome === 'refused')
    throw new ApiProblem('conflict', asked.reason, `${where} says what may be done with it now`);
  return { workflowId, status: asked.status };
}
