/**
 * Manifests: from a CSV file to tasks.
 *
 * @module
 */
import { csvRows } from '../../../../lib/restore/csv.ts';
import type { Field } from './model.ts';

export interface Task {
  bucket: string;
  /** As it stands in the manifest, URL-encoded: the report has it so. */
  encodedKey: string;
  key: string;
  /** Empty where it is missing. */
  versionId?: string;
}

/** @throws Error with what is wrong, and in which row */
export async function readManifest(bytes: Buffer, fields: readonly Field[]): Promise<Task[]> {
  const tasks: Task[] = [];
  for await (const row of csvRows([bytes])) {
    const where = `row ${tasks.length + 1} of the manifest`;
    if (row.length !== fields.length) throw new Error(`${where} has ${row.length} fields instead of ${fields.length}`);
    const of = (field: Field) => row[fields.indexOf(field)] ?? '';
    const encodedKey = of('Key');
    tasks.push({
      bucket: of('Bucket'),
      encodedKey,
      key: decodeKey(encodedKey, where),
      ...(fields.includes('VersionId') && { versionId: of('VersionId') }),
    });
  }
  return tasks;
}

/** A blank may be `+`, as in the reports of S3 Inventory. */
function decodeKey(encoded: string, where: string): string {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    throw new Error(`${where} has a key that is not URL-encoded`);
  }
}
