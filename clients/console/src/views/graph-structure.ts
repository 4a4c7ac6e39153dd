/**
 * What of a run's steps decides how its graph is laid out: names and what comes after what. States are no part of it.
 *
 * @module
 */
import type { StepView } from '../../../../workflows/progress/model.ts';

type Planned = Pick<StepView, 'name' | 'after'>;

/** Nodes are numbers: the place in `names`. */
export interface Structure {
  names: readonly string[];
  /** Of each node. */
  before: readonly (readonly number[])[];
  /** Of each node: the longest way to it. What is in a cycle, or behind one, comes last. */
  layers: readonly number[];
  layerCount: number;
}

export function structureOf(steps: readonly Planned[]): Structure {
  const index = new Map(steps.map((step, place) => [step.name, place]));
  const before = steps.map((step, place) => {
    if (!step.after?.length) return [];
    // Steps that have not been told of yet have no place; a step is not before itself.
    if (step.after.length === 1) {
      const only = index.get(step.after[0] as string);
      return only === undefined || only === place ? [] : [only];
    }
    const known = new Set<number>();
    for (const name of step.after) {
      const found = index.get(name);
      if (found !== undefined && found !== place) known.add(found);
    }
    return [...known];
  });
  const layers = layersOf(before);
  return {
    names: steps.map((step) => step.name),
    before,
    layers,
    layerCount: layers.reduce((count, layer) => Math.max(count, layer + 1), 0),
  };
}

function layersOf(before: readonly (readonly number[])[]): number[] {
  const after: number[][] = before.map(() => []);
  const missing = before.map((list, node) => {
    for (const earlier of list) after[earlier]?.push(node);
    return list.length;
  });
  const layers = before.map(() => 0);
  const ready = [...before.keys()].filter((node) => missing[node] === 0);
  const done = new Set<number>(ready);
  for (let place = 0; place < ready.length; place += 1) {
    const node = ready[place] as number;
    for (const later of after[node] ?? []) {
      layers[later] = Math.max(layers[later] ?? 0, (layers[node] ?? 0) + 1);
      missing[later] = (missing[later] ?? 0) - 1;
      if (missing[later] === 0) {
        ready.push(later);
        done.add(later);
      }
    }
  }
  if (done.size < before.length) {
    const last = layers.reduce((highest, layer, node) => (done.has(node) ? Math.max(highest, layer) : highest), -1);
    for (const node of before.keys()) if (!done.has(node)) layers[node] = last + 1;
  }
  return layers;
}

/** Whether the same layout holds. Costs a comparison a step and an edge, and less where lists are the same objects. */
export function sameStructure(one: readonly Planned[], other: readonly Planned[]): boolean {
  if (one === other) return true;
  if (one.length !== other.length) return false;
  for (const [place, step] of one.entries()) {
    const counterpart = other[place] as Planned;
    if (step.name !== counterpart.name || !sameList(step.after, counterpart.after)) return false;
  }
  return true;
}

function sameList(one: readonly string[] = [], other: readonly string[] = []): boolean {
  return one === other || (one.length === other.length && one.every((name, place) => name === other[place]));
}
