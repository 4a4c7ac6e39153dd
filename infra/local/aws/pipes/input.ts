/**
 * CreatePipe's input, checked: by the constraints of the service's model, and against what this stand-in does. What it
 * does not do is refused, never ignored.
 *
 * @module
 */
import { AwsError } from '../../kit/service.ts';
import { PatternError, parsePattern } from '../events/pattern.ts';

export type Json = Record<string, unknown>;

export interface PipeDescription {
  name: string;
  description?: string;
  desiredState: 'RUNNING' | 'STOPPED';
  /** ARN of a DynamoDB stream. */
  source: string;
  sourceParameters: {
    FilterCriteria?: { Filters: { Pattern: string }[] };
    DynamoDBStreamParameters: { StartingPosition: 'TRIM_HORIZON' | 'LATEST'; [member: string]: unknown };
  };
  /** ARN of a queue. */
  target: string;
  targetParameters?: Json;
  roleArn: string;
  tags: Record<string, string>;
}

const ROLE = /^arn:aws[\w-]*:iam::\d{12}:role\/?[a-zA-Z0-9+=,.@\-_/]+$/;
const STREAM = /^arn:aws[\w-]*:dynamodb:[\w-]+:\d{12}:table\/[\w.-]{3,255}\/stream\/[\d:T.-]+$/;
const QUEUE = /^arn:aws[\w-]*:sqs:[\w-]+:\d{12}:[\w-]{1,80}$/;
const MEMBERS = 'Name Description DesiredState Source SourceParameters Target TargetParameters RoleArn Tags'.split(' ');
/** Records a batch: a queue takes no more at once. The messages are the same whatever it is. */
const BATCH_SIZE = { least: 1, most: 10 };
const BATCHING_WINDOW_SECONDS = { least: 0, most: 300 };
const MAX_FILTERS = 5;
const MAX_PATTERN_LENGTH = 4096;
const MAX_DESCRIPTION_LENGTH = 512;
const MAX_TAGS = 50;

export const validation = (message: string) => new AwsError('ValidationException', message);

const unfit = (value: unknown, member: string, constraint: string) =>
  validation(
    `1 validation error detected: Value ${value === undefined ? 'null' : `'${String(value)}'`} at '${member}' failed to satisfy constraint: ${constraint}`,
  );

/** @throws AwsError ValidationException */
export function checkedName(name: string): string {
  if (!/^[.\-_A-Za-z0-9]{1,64}$/.test(name)) {
    throw unfit(
      name,
      'name',
      'Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+, 1 to 64 characters',
    );
  }
  return name;
}

/** @throws AwsError ValidationException */
export function readPipe(name: string, input: Json): PipeDescription {
  only(input, '', MEMBERS);
  const description = optionalText(input, 'Description');
  if (description !== undefined && description.length > MAX_DESCRIPTION_LENGTH) {
    throw unfit(description, 'description', `Member must have length less than or equal to ${MAX_DESCRIPTION_LENGTH}`);
  }
  const desiredState = input.DesiredState ?? 'RUNNING';
  if (desiredState !== 'RUNNING' && desiredState !== 'STOPPED') {
    throw unfit(desiredState, 'desiredState', 'Member must satisfy enum value set: [RUNNING, STOPPED]');
  }
  const targetParameters = readTarget(input);
  return {
    name: checkedName(name),
    desiredState,
    source: arn(input, 'Source', STREAM, 'this stand-in reads DynamoDB streams'),
    sourceParameters: readSource(input),
    target: arn(input, 'Target', QUEUE, 'this stand-in delivers to standard SQS queues'),
    roleArn: arn(input, 'RoleArn', ROLE, 'it must be the ARN of an IAM role'),
    tags: readTags(input),
    ...(description !== undefined && { description }),
    ...(targetParameters && { targetParameters }),
  };
}

function readSource(input: Json): PipeDescription['sourceParameters'] {
  const parameters = structure(input, '', 'SourceParameters');
  only(parameters, 'SourceParameters', ['DynamoDBStreamParameters', 'FilterCriteria']);
  const stream = structure(parameters, 'SourceParameters', 'DynamoDBStreamParameters');
  const path = 'SourceParameters.DynamoDBStreamParameters';
  only(stream, path, ['StartingPosition', 'BatchSize', 'MaximumBatchingWindowInSeconds']);
  const StartingPosition = stream.StartingPosition;
  if (StartingPosition !== 'TRIM_HORIZON' && StartingPosition !== 'LATEST') {
    throw unfit(
      StartingPosition,
      `${path}.StartingPosition`,
      'Member must satisfy enum value set: [TRIM_HORIZON, LATEST]',
    );
  }
  within(stream, path, 'BatchSize', BATCH_SIZE);
  within(stream, path, 'MaximumBatchingWindowInSeconds', BATCHING_WINDOW_SECONDS);
  const Filters = readFilters(parameters);
  return {
    ...(Filters && { FilterCriteria: { Filters } }),
    DynamoDBStreamParameters: { ...stream, StartingPosition },
  };
}

function readFilters(parameters: Json): { Pattern: string }[] | undefined {
  if (parameters.FilterCriteria === undefined) return undefined;
  const path = 'SourceParameters.FilterCriteria';
  const criteria = structure(parameters, 'SourceParameters', 'FilterCriteria');
  only(criteria, path, ['Filters']);
  const filters: unknown = criteria.Filters ?? [];
  if (!Array.isArray(filters) || filters.length > MAX_FILTERS) {
    throw unfit(filters, `${path}.Filters`, `Member must have length less than or equal to ${MAX_FILTERS}`);
  }
  return filters.map((filter: unknown) => {
    const Pattern = isObject(filter) ? filter.Pattern : undefined;
    if (typeof Pattern !== 'string' || Pattern.length > MAX_PATTERN_LENGTH) {
      throw unfit(
        Pattern,
        `${path}.Filters.Pattern`,
        `Member must be a text of at most ${MAX_PATTERN_LENGTH} characters`,
      );
    }
    try {
      parsePattern(Pattern);
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      throw validation(`Invalid filter pattern. Reason: ${error.message}`);
    }
    return { Pattern };
  });
}

/** An empty template is none. */
function readTarget(input: Json): Json | undefined {
  if (input.TargetParameters === undefined) return undefined;
  const parameters = structure(input, '', 'TargetParameters');
  only(parameters, 'TargetParameters', ['InputTemplate', 'SqsQueueParameters']);
  if (parameters.InputTemplate !== undefined && parameters.InputTemplate !== '') {
    throw validation('this stand-in delivers records whole: no TargetParameters.InputTemplate');
  }
  if (parameters.SqsQueueParameters !== undefined) {
    only(structure(parameters, 'TargetParameters', 'SqsQueueParameters'), 'TargetParameters.SqsQueueParameters', []);
  }
  return parameters;
}

function readTags(input: Json): Record<string, string> {
  if (input.Tags === undefined) return {};
  const tags = Object.entries(structure(input, '', 'Tags'));
  const bad = tags.find(
    ([key, value]) => key.length < 1 || key.length > 128 || typeof value !== 'string' || value.length > 256,
  );
  if (bad || tags.length > MAX_TAGS) {
    throw unfit(
      bad?.[0] ?? tags.length,
      'tags',
      `at most ${MAX_TAGS}, keys of 1 to 128 and values of up to 256 characters`,
    );
  }
  return Object.fromEntries(tags) as Record<string, string>;
}

function arn(input: Json, member: string, form: RegExp, what: string): string {
  const value = optionalText(input, member);
  if (value === undefined) throw unfit(value, camel(member), 'Member must not be null');
  if (!form.test(value))
    throw validation(`Provided ARN is not in correct format or not supported. ${member} = ${value}; ${what}`);
  return value;
}

function within(holder: Json, path: string, member: string, { least, most }: { least: number; most: number }): void {
  const value = holder[member];
  if (value === undefined) return;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw unfit(
      value,
      `${path}.${member}`,
      `Member must be between ${least} and ${most} for an SQS queue as the target`,
    );
  }
}

/** Refuses what this stand-in does not have. */
function only(holder: Json, path: string, members: readonly string[]): void {
  const other = Object.keys(holder).find((member) => !members.includes(member));
  if (other !== undefined) throw validation(`this stand-in has no ${path === '' ? other : `${path}.${other}`}`);
}

function structure(holder: Json, path: string, member: string): Json {
  const value = holder[member];
  if (isObject(value)) return value;
  throw unfit(value, path === '' ? member : `${path}.${member}`, 'Member must be a structure that is not null');
}

function optionalText(input: Json, member: string): string | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new AwsError('SerializationException', `${member} must be a string`);
  return value;
}

const camel = (member: string) => member.charAt(0).toLowerCase() + member.slice(1);

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
