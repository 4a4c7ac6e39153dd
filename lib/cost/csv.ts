/**
 * Writing CSV that a spreadsheet may open: text that would be taken for a formula is made text, numbers stay as they are.
 *
 * @module
 */
import { stringify } from 'csv-stringify/sync';

/** What spreadsheets take for the beginning of a formula; tab and line end are skipped by some. */
const FORMULA = /^[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]/;
const NUMBER = /^-?\d+(\.\d+)?$/;

/** A field: text of anybody, or a decimal number of ours; nothing at all is an empty field. */
export type Field = { text: string | undefined } | { number: string | undefined };

export const text = (value: string | undefined): Field => ({ text: value });
export const number = (value: string | number | undefined): Field => ({
  number: value === undefined ? undefined : String(value),
});

/** Rows as CSV, each with its line end. */
export const csvLines = (rows: readonly (readonly Field[])[]): string => stringify(rows.map((row) => row.map(written)));

function written(field: Field): string {
  if ('text' in field) return FORMULA.test(field.text ?? '') ? `'${field.text}` : (field.text ?? '');
  if (field.number !== undefined && !NUMBER.test(field.number)) throw new Error(`"${field.number}" is no plain number`);
  return field.number ?? '';
}
