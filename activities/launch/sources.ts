/**
 * Where the inputs of an item come from: the files for its manifest row, and what they add to its key.
 *
 * @module
 */

import type { S3Client } from '@aws-sdk/client-s3';
import { heartbeat } from '@temporalio/activity';
import { type Commit, outputsDigest } from '../../jobs/commit.ts';
import { mapLimited } from '../../lib/concurrency.ts';
import { type Inventory, treeNames } from '../../lib/launch/inventory.ts';
import { resolveS3Address } from '../../lib/s3-address.ts';
import { listKeys, readJson } from '../../lib/s3-objects.ts';
import { expandPath, type Source, type Sources } from '../../workflows/launch/manifest.ts';
import { hasWildcard } from '../../workflows/launch/patterns.ts';
import { cacheGroup } from '../../workflows/launch/places.ts';
import {
  itemsOf,
  type Plan,
  type PlannedInput,
  type PlannedStep,
  type StepItem,
  upstreamItems,
} from '../../workflows/launch/plan.ts';
import type { KeyInput } from './cache-key.ts';
import type { StepFiles, StepItems } from './step-files.ts';

/** A commit lists the files of one item; far above what a sane step puts out. */
const COMMIT_LIMIT = 64 * 1024 * 1024;
/** More commits than this are not read one by one where a listing tells the same. */
const WORTH_LISTING = 48;
const READING = 24;

/** One step whose outputs are used: its items by key, its commits, the digests of its outputs. */
interface Upstream {
  step: PlannedStep;
  items: StepItems;
  places: Map<string, number>;
  all: StepItem[];
  digests: Map<number, string>;
}

export interface SourceContext {
  s3: S3Client;
  bucket: string;
  files: StepFiles;
  plan: Plan;
  inventory: Inventory;
}

export class SourceFinder {
  readonly #context: SourceContext;
  readonly #step: PlannedStep;
  readonly #upstreams = new Map<string, Promise<Upstream>>();
  readonly #commits = new Map<string, Promise<Commit>>();

  constructor(context: SourceContext, step: PlannedStep) {
    this.#context = context;
    this.#step = step;
  }

  /** The files of every input of an item. */
  async sources(item: StepItem): Promise<Sources> {
    const sources: Record<string, readonly Source[]> = {};
    for (const input of this.#step.inputs) {
      sources[input.name] = await this.#sourcesOf(item, input);
    }
    return sources;
  }

  #sourcesOf(item: StepItem, input: PlannedInput): readonly Source[] | Promise<Source[]> {
    switch (input.kind) {
      case 'path':
        return this.#fromPath(item, input);
      case 'tree':
        return this.#fromTree(input);
      case 'from':
        return this.#fromStep(item, input);
    }
  }

  /** The files of its inputs from outside the launch, which are known before any step has run. */
  outsideSources(item: StepItem): readonly Source[] {
    return this.#step.inputs.flatMap((input) => {
      if (input.kind === 'from') return [];
      return input.kind === 'path' ? this.#fromPath(item, input) : this.#fromTree(input);
    });
  }

  /** What the inputs of an item add to its key. */
  async keyInputs(item: StepItem, sources: Sources): Promise<KeyInput[]> {
    const { plan, inventory } = this.#context;
    const inputs: KeyInput[] = [];
    for (const input of this.#step.inputs) {
      if (input.kind !== 'from') {
        for (const { from } of sources[input.name] ?? []) {
          const { etag, size, version } = inventory.objects[from] ?? {};
          inputs.push({
            name: input.name,
            address: from,
            ...(etag !== undefined && { etag }),
            ...(size !== undefined && { size }),
            ...(version !== undefined && { version }),
          });
        }
        continue;
      }
      const upstream = await this.#upstream(input.step);
      for (const from of upstreamItems(plan, item, upstream.step)) {
        const digest = await this.#digest(upstream, upstream.places.get(from.key) ?? 0);
        inputs.push({ name: input.name, step: `${input.step}.${input.output}`, item: from.key, digest });
      }
    }
    return inputs;
  }

  #fromPath(item: StepItem, input: Extract<PlannedInput, { kind: 'path' }>): readonly Source[] {
    const { plan, inventory } = this.#context;
    const path = expandPath(plan, this.#step, item, input.path);
    if (plan.sharedFileSystem) {
      const root = plan.sharedFileSystem.root;
      return [{ from: `shared:${root === undefined ? '' : `${root}/`}${path}`, name: baseName(path) }];
    }
    const files = input.wildcard
      ? (inventory.patterns[path] ?? [])
      : [{ address: resolveS3Address(plan.dataPath, path), name: baseName(path) }];
    return files.map((file) => this.#source(file));
  }

  /** Files that keep their places below `dataPath`. */
  #fromTree({ files }: Extract<PlannedInput, { kind: 'tree' }>): Source[] {
    const { plan, inventory } = this.#context;
    return files.flatMap(({ path, wildcard, base }) =>
      treeNames(inventory, plan, { path, wildcard, ...(base !== undefined && { base }) }).map((file) =>
        this.#source(file),
      ),
    );
  }

  #source({ address, name }: { address: string; name: string }): Source {
    const { version, etag } = this.#context.inventory.objects[address] ?? {};
    return { from: address, name, ...(version && { version }), ...(etag && { etag }) };
  }

  async #fromStep(item: StepItem, input: Extract<PlannedInput, { kind: 'from' }>): Promise<Source[]> {
    const { plan } = this.#context;
    const upstream = await this.#upstream(input.step);
    const output = upstream.step.outputs.find((candidate) => candidate.name === input.output)?.path ?? '';
    const sources: Source[] = [];
    for (const from of upstreamItems(plan, item, upstream.step)) {
      const commit = this.#commitOf(upstream, upstream.places.get(from.key) ?? 0);
      // Files of different items may have the same name.
      const folder = input.gather ? `${from.key}/` : '';
      if (!hasWildcard(output)) {
        // The name is known by now; where the file lies the job finds in the commit by itself.
        const name = `${folder}${baseName(expandPath(plan, upstream.step, from, output))}`;
        sources.push({ from: `commit:${commit}#${input.output}`, name });
        continue;
      }
      const files = (await this.#readCommit(commit)).outputs[input.output] ?? [];
      sources.push(
        ...files.map((file) => ({
          from: `commit:${commit}#${input.output}#${file.path}`,
          name: `${folder}${file.path}`,
        })),
      );
    }
    return sources;
  }

  #upstream(name: string): Promise<Upstream> {
    const known = this.#upstreams.get(name) ?? this.#loadUpstream(name);
    this.#upstreams.set(name, known);
    return known;
  }

  async #loadUpstream(name: string): Promise<Upstream> {
    const { files, plan } = this.#context;
    const step = plan.steps.find((candidate) => candidate.name === name) as PlannedStep;
    const items = await files.items({ launchId: plan.launchId, attempt: plan.attempt, step: name });
    const all = itemsOf(plan, step);
    const places = new Map(all.map((item, index) => [item.key, index]));
    const upstream: Upstream = { step, items, places, all, digests: new Map() };
    for (const [index, { digest }] of Object.entries(items.done)) {
      if (digest !== undefined) upstream.digests.set(Number(index), digest);
    }
    if (all.length - upstream.digests.size > WORTH_LISTING && plan.cache) await this.#listDigests(upstream);
    return upstream;
  }

  /** Cache entries carry the digest in their names: one page of a listing tells a thousand. */
  async #listDigests({ step, items, all, places, digests }: Upstream): Promise<void> {
    const { s3, bucket, plan } = this.#context;
    const group = cacheGroup(bucket, plan.consumer, items.stepKey);
    const start = group.length - `s3://${bucket}/`.length;
    for await (const keys of listKeys(s3, group)) {
      heartbeat();
      for (const key of keys) {
        const [itemKey, digest, launch, from, item = ''] = key.slice(start).split('/');
        const index = places.get(item);
        if (launch !== plan.launchId || from !== step.name || index === undefined || digest === undefined) continue;
        if (all[index] && items.keys[index] === itemKey) digests.set(index, digest);
      }
    }
  }

  async #digest(upstream: Upstream, index: number): Promise<string> {
    const known = upstream.digests.get(index);
    if (known !== undefined) return known;
    const digest = outputsDigest((await this.#readCommit(this.#commitOf(upstream, index))).outputs);
    upstream.digests.set(index, digest);
    return digest;
  }

  /** Reads ahead what {@link keyInputs} of these items needs, so that many items do not wait one after the other. */
  async prepare(items: readonly StepItem[]): Promise<void> {
    const { plan } = this.#context;
    for (const input of this.#step.inputs) {
      if (input.kind !== 'from') continue;
      const upstream = await this.#upstream(input.step);
      const needed = new Set(
        items.flatMap((item) =>
          upstreamItems(plan, item, upstream.step).map(({ key }) => upstream.places.get(key) ?? 0),
        ),
      );
      await mapLimited([...needed], READING, (index) => this.#digest(upstream, index));
    }
  }

  #commitOf(upstream: Upstream, index: number): string {
    const { files, plan } = this.#context;
    const place = { launchId: plan.launchId, attempt: plan.attempt, step: upstream.step.name };
    return files.commitOf(place, upstream.items, index, upstream.all[index] as StepItem);
  }

  #readCommit(address: string): Promise<Commit> {
    heartbeat();
    const known = this.#commits.get(address) ?? readJson<Commit>(this.#context.s3, address, COMMIT_LIMIT);
    this.#commits.set(address, known);
    return known;
  }
}

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
