/**
 * Errors of the API server: Status objects with its codes, reasons and words.
 *
 * @module
 */

export interface Cause {
  reason: string;
  message: string;
  field: string;
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: number;
  readonly reason: string;
  readonly details: object | undefined;

  constructor(code: number, reason: string, message: string, details?: object) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  body(): object {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      reason: this.reason,
      ...(this.details && { details: this.details }),
      code: this.code,
    };
  }
}

/** @param resource such as `jobs.batch`, `pods` */
export function notFound(resource: string, name: string): ApiError {
  const [kind = '', group] = resource.split('.');
  return new ApiError(404, 'NotFound', `${resource} "${name}" not found`, { name, ...(group && { group }), kind });
}

export function alreadyExists(resource: string, name: string): ApiError {
  const [kind = '', group] = resource.split('.');
  return new ApiError(409, 'AlreadyExists', `${resource} "${name}" already exists`, {
    name,
    ...(group && { group }),
    kind,
  });
}

export const badRequest = (message: string): ApiError => new ApiError(400, 'BadRequest', message);
export const unauthorized = (): ApiError => new ApiError(401, 'Unauthorized', 'Unauthorized');

/** @param kind such as `Job.batch` */
export function invalid(kind: string, name: string, causes: readonly Cause[]): ApiError {
  const said = causes.map(({ field, message }) => `${field}: ${message}`);
  const list = said.length === 1 ? said[0] : `[${said.join(', ')}]`;
  const [of = '', group] = kind.split('.');
  return new ApiError(422, 'Invalid', `${kind} "${name}" is invalid: ${list}`, {
    name,
    ...(group && { group }),
    kind: of,
    causes,
  });
}

export const required = (field: string, detail = ''): Cause => ({
  reason: 'FieldValueRequired',
  field,
  message: detail === '' ? 'Required value' : `Required value: ${detail}`,
});

export const wrong = (field: string, value: unknown, detail: string): Cause => ({
  reason: 'FieldValueInvalid',
  field,
  message: `Invalid value: ${JSON.stringify(value)}: ${detail}`,
});

export const unsupported = (field: string, value: unknown, known: readonly string[]): Cause => ({
  reason: 'FieldValueNotSupported',
  field,
  message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${known.map((one) => `"${one}"`).join(', ')}`,
});
