/**
 * Label and field selectors of LIST.
 *
 * @module
 */
import type { Job, Pod } from './model.ts';
import { badRequest } from './status.ts';

type Test = (labels: Readonly<Record<string, string>>) => boolean;

/** `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a`; all of them, separated by commas. */
export function labelSelector(text: string): Test {
  const tests = split(text).map((part): Test => {
    const set = /^(\S+)\s+(in|notin)\s+\(([^()]*)\)$/.exec(part);
    if (set) {
      const [, key = '', operator, list = ''] = set;
      const values = new Set(list.split(',').map((value) => value.trim()));
      // A label that is not there is in no set, so it satisfies notin.
      return (labels) => values.has(labels[key] ?? '\0') === (operator === 'in');
    }
    const [, key, operator, value = ''] = /^([^\s=!(),]+)\s*(==|=|!=)\s*([^\s=!(),]*)$/.exec(part) ?? [];
    if (key !== undefined) return (labels) => (labels[key] === value) === (operator !== '!=');
    const [, not, name] = /^(!?)\s*([^\s=!(),]+)$/.exec(part) ?? [];
    if (name === undefined) throw badRequest(`unable to parse requirement: ${part}`);
    return (labels) => Object.hasOwn(labels, name) === (not === '');
  });
  return (labels) => tests.every((test) => test(labels));
}

/** Commas inside brackets belong to the set. */
const split = (text: string): string[] =>
  text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter(Boolean);

const FIELDS: Readonly<Record<'Pod' | 'Job', Readonly<Record<string, (one: never) => string>>>> = {
  Pod: {
    'metadata.name': (pod: Pod) => pod.metadata.name,
    'metadata.namespace': (pod: Pod) => pod.metadata.namespace,
    'spec.nodeName': (pod: Pod) => pod.spec.nodeName ?? '',
    'spec.restartPolicy': (pod: Pod) => pod.spec.restartPolicy ?? '',
    'status.phase': (pod: Pod) => pod.status.phase,
  },
  Job: {
    'metadata.name': (job: Job) => job.metadata.name,
    'metadata.namespace': (job: Job) => job.metadata.namespace,
    'status.successful': (job: Job) => String(job.status.succeeded ?? 0),
  },
};

export function fieldSelector<T extends Pod | Job>(kind: T['kind'], text: string): (one: T) => boolean {
  const tests = split(text).map((part) => {
    const [, field = '', operator, value = ''] = /^([^=!]+)(==|=|!=)(.*)$/.exec(part) ?? [];
    const read = FIELDS[kind][field] as ((one: T) => string) | undefined;
    if (!operator) throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`);
    if (!read) throw badRequest(`field label not supported: ${field}`);
    return (one: T) => (read(one) === value) === (operator !== '!=');
  });
  return (one) => tests.every((test) => test(one));
}
