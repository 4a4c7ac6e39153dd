/**
 * Steps of a sheet as a Snakefile.
 *
 * @module
 */
import { discover } from '../../../lib/launch/discover.ts';
import { parseSheet } from '../../../workflows/launch/sheet/parse.ts';
import { exportSnakefile, hasSteps } from '../../launch/sheets.ts';
import type { Exported } from '../../live/api.ts';
import type { ApiDependencies } from './dependencies.ts';
import { ApiProblem } from './errors.ts';

/** @throws ApiProblem 409 for a sheet without steps; SheetError */
export async function exportOf(
  { aws }: Pick<ApiDependencies, 'aws'>,
  { text, file }: { text: string; file: string },
  data = 'data',
): Promise<Exported> {
  const { sheet, lineOf } = parseSheet(text, file);
  if (!hasSteps(sheet))
    throw new ApiProblem(
      'conflict',
      'only steps can be exported; this sheet has a definition of its own',
      'take its workflowEndpoint to the engine as it is',
    );
  return exportSnakefile({ sheet, lineOf }, file, data, (wanted) => discover(aws.s3, wanted, () => {}));
}
