/**
 * What a node of the graph says of its steps: counts by state, percent, and one tone for all of them.
 *
 * @module
 */
import type { StepState, StepView } from '../../../../workflows/progress/model.ts';
import { stepPercent } from '../../../../workflows/progress/picture.ts';
import type { GraphNode, GroupedGraph } from './graph-group.ts';
import { lookOf, type Tone } from './tones.ts';

export interface NodeState {
  tone: Tone;
  icon: string;
  /** `Running`; of a group, that of the worst or most advanced of its steps. */
  label: string;
  /** Such as `900/999 done, 3 failed`; short. */
  counts: string;
  /** 0 to 100. */
  percent: number;
  stuck: boolean;
}

/** What is worth to be seen first, first. */
const BY_URGENCY: readonly StepState[] = [
  'FAILED',
  'CANCELLED',
  'RUNNING',
  'RUNNABLE',
  'SUBMITTED',
  'PENDING',
  'SUCCEEDED',
];

/** @param steps as they are now: of the plan that the graph was made of, or of a newer one */
export function nodeStates(graph: GroupedGraph, steps: readonly StepView[]): NodeState[] {
  const aligned = alignSteps(graph.names, steps);
  return graph.nodes.map((node) => nodeState(node, aligned));
}

/** In the order of the names; mostly they are already. */
function alignSteps(names: readonly string[], steps: readonly StepView[]): readonly (StepView | undefined)[] {
  if (names.every((name, place) => steps[place]?.name === name)) return steps;
  const byName = new Map(steps.map((step) => [step.name, step]));
  return names.map((name) => byName.get(name));
}

function nodeState(node: GraphNode, steps: readonly (StepView | undefined)[]): NodeState {
  const [only] = node.members;
  if (!node.group) return stepState(steps[only as number]);
  const counts = new Map<StepState, number>();
  let percent = 0;
  let stuck = false;
  for (const member of node.members) {
    const step = steps[member];
    if (!step) continue;
    counts.set(step.state, (counts.get(step.state) ?? 0) + 1);
    percent += stepPercent(step);
    stuck ||= step.stuck !== undefined;
  }
  const state = stateOfGroup(counts);
  const total = node.members.length;
  const failed = counts.get('FAILED') ?? 0;
  return {
    ...lookOf(state),
    counts: `${counts.get('SUCCEEDED') ?? 0}/${total} done${failed > 0 ? `, ${failed} failed` : ''}`,
    percent: total > 0 ? percent / total : 0,
    stuck,
  };
}

/** Where somebody looks first: what failed, or else what runs, or else the beginning. */
export function focusOf(states: readonly NodeState[]): number {
  const failed = states.findIndex((state) => state.tone === 'bad');
  const running = failed >= 0 ? failed : states.findIndex((state) => state.tone === 'run');
  return Math.max(0, running);
}

function stateOfGroup(counts: ReadonlyMap<StepState, number>): StepState {
  const found = BY_URGENCY.find((state) => counts.has(state)) ?? 'PENDING';
  // Some done and none begun: it is under way.
  const waits = found === 'PENDING' || found === 'SUBMITTED' || found === 'RUNNABLE';
  return waits && counts.has('SUCCEEDED') ? 'RUNNING' : found;
}

function stepState(step: StepView | undefined): NodeState {
  if (!step) return { ...lookOf('PENDING'), counts: '', percent: 0, stuck: false };
  const { items } = step;
  const percent = stepPercent(step);
  const counts = items
    ? `${items.succeeded}/${items.total}${items.failed > 0 ? `, ${items.failed} failed` : ''}`
    : step.state === 'RUNNING' && step.percent !== undefined
      ? `${Math.floor(percent)} %`
      : '';
  return { ...lookOf(step.state), counts, percent, stuck: step.stuck !== undefined };
}
