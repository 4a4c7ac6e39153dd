/**
 * The query protocols: that of IAM and SNS (awsQuery) and EC2's (ec2Query), as Smithy specifies them. A request is a form whose
 * `Action` names the operation, lists are numbered members (`Filter.1.Value.2`), the answer is XML.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { AwsError, type AwsRequest, type AwsResponse, type AwsService } from './service.ts';
import { toXml, type XmlObject } from './xml.ts';

export type QueryParameters = ReadonlyMap<string, string>;

/** One operation: takes the form, returns the output's members. */
export interface QueryOperation {
  /** Whole names of the parameters it knows; any other is refused, never ignored. */
  knows: RegExp;
  /** The name of what is acted on, for the call log. */
  subject?(input: QueryParameters): string;
  run(input: QueryParameters, request: AwsRequest): XmlObject;
}

/** How the dialects differ. */
interface Dialect {
  namespace: string;
  /** The content of `<Action>Response`. */
  wrap(operation: string, output: XmlObject, requestId: string): XmlObject;
  error(error: AwsError, requestId: string): { root: string; content: XmlObject };
  unknownParameter(name: string): AwsError;
}

const IAM: Dialect = {
  namespace: 'https://iam.amazonaws.com/doc/2010-05-08/',
  wrap: (operation, output, RequestId) => ({ [`${operation}Result`]: output, ResponseMetadata: { RequestId } }),
  error: ({ code, message, status }, RequestId) => ({
    root: 'ErrorResponse',
    content: { Error: { Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: message }, RequestId },
  }),
  unknownParameter: (name) => new AwsError('ValidationError', `the stand-in does not know the parameter ${name}`),
};

const EC2: Dialect = {
  namespace: 'http://ec2.amazonaws.com/doc/2016-11-15/',
  wrap: (_, output, requestId) => ({ requestId, ...output }),
  error: ({ code, message }, RequestID) => ({
    root: 'Response',
    content: { Errors: { Error: { Code: code, Message: message } }, RequestID },
  }),
  unknownParameter: (name) => new AwsError('UnknownParameter', `The parameter ${name} is not recognized`),
};

const SNS: Dialect = {
  ...IAM,
  namespace: 'http://sns.amazonaws.com/doc/2010-03-31/',
  unknownParameter: (name) =>
    new AwsError('InvalidParameter', `Invalid parameter: the stand-in does not know the parameter ${name}`),
};

const DIALECTS = { iam: IAM, ec2: EC2, sns: SNS } as const;

const BODY_LIMIT = 1024 * 1024;

/** A service of one of the query protocols; its signing name is the dialect's. */
export function queryService(options: {
  dialect: keyof typeof DIALECTS;
  /** API version, such as `2010-05-08`. */
  version: string;
  operations: Readonly<Record<string, QueryOperation>>;
  close?(): Promise<void>;
}): AwsService {
  const { dialect: name, version, operations } = options;
  const dialect = DIALECTS[name];
  return {
    names: [name],
    async prepare(request) {
      const input = readForm((await request.bytes(BODY_LIMIT)).toString('utf8'));
      const action = input.get('Action') ?? '';
      const operation = Object.hasOwn(operations, action) ? operations[action] : undefined;
      if (operation === undefined || input.get('Version') !== version) {
        throw new AwsError('InvalidAction', `The action ${action} is not valid for this web service.`);
      }
      for (const parameter of input.keys()) {
        if (parameter === 'Action' || parameter === 'Version' || operation.knows.test(parameter)) continue;
        throw dialect.unknownParameter(parameter);
      }
      return {
        operation: action,
        subject: operation.subject?.(input) ?? '',
        run: async () => {
          const requestId = randomUUID();
          const content = dialect.wrap(action, operation.run(input, request), requestId);
          return xml(200, `${action}Response`, content, dialect.namespace, requestId);
        },
      };
    },
    renderError(error) {
      const requestId = randomUUID();
      const { root, content } = dialect.error(error, requestId);
      return xml(error.status, root, content, dialect.namespace, requestId);
    },
    ...(options.close && { close: options.close }),
  };
}

/** The values of a list: `<name>.1`, `<name>.2`, … up to the first that is missing. */
export function listOf(input: QueryParameters, name: string): string[] {
  const values: string[] = [];
  for (let index = 1; ; index += 1) {
    const value = input.get(`${name}.${index}`);
    if (value === undefined) return values;
    values.push(value);
  }
}

function readForm(text: string): Map<string, string> {
  const input = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (input.has(name)) throw new AwsError('MalformedQueryString', `The parameter ${name} stands there twice`);
    input.set(name, value);
  }
  return input;
}

function xml(status: number, root: string, content: XmlObject, namespace: string, requestId: string): AwsResponse {
  return {
    status,
    headers: { 'content-type': 'text/xml;charset=UTF-8', 'x-amzn-requestid': requestId },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${namespace}">${toXml(content)}</${root}>`,
  };
}
