/**
 * Tags of environments, queues, definitions and jobs.
 *
 * @module
 */
import { clientError } from './errors.ts';
import { type Json, tagMap } from './input.ts';
import { findJob } from './queries.ts';
import type { Store } from './store.ts';

export function listTagsForResource(store: Store, arn: string): Json {
  return { tags: tagged(store, arn).tags };
}

export function tagResource(store: Store, arn: string, input: Json): Json {
  const resource = tagged(store, arn);
  resource.put(tagMap({ tags: { ...resource.tags, ...tagMap(input) } }) ?? {});
  return {};
}

export function untagResource(store: Store, arn: string, keys: readonly string[]): Json {
  const resource = tagged(store, arn);
  resource.put(Object.fromEntries(Object.entries(resource.tags).filter(([key]) => !keys.includes(key))));
  return {};
}

type Tags = Record<string, string>;

function tagged(store: Store, arn: string): { tags: Tags; put(tags: Tags): void } {
  const environment = store.environments.get(arn);
  if (environment)
    return { tags: environment.tags ?? {}, put: (tags) => store.putEnvironment({ ...environment, tags }) };
  const queue = store.queues.get(arn);
  if (queue) return { tags: queue.tags ?? {}, put: (tags) => store.putQueue({ ...queue, tags }) };
  const definition = [...store.definitions.values()].flat().find(({ jobDefinitionArn }) => jobDefinitionArn === arn);
  if (definition) return { tags: definition.tags ?? {}, put: (tags) => store.putDefinition({ ...definition, tags }) };
  const job = arn.startsWith('arn:') ? findJob(store, arn) : undefined;
  if (!job) throw clientError(`${arn} does not exist`);
  return {
    tags: job.spec.tags,
    put(tags) {
      const spec = { ...job.spec, tags };
      for (const one of job.children ?? [job]) one.spec = spec;
      job.spec = spec;
      store.saveSpec(job);
    },
  };
}
