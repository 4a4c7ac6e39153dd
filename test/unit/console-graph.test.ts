import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstCamera, fitCamera, visibleNodes, zoomCamera } from '../../clients/console/src/views/graph-camera.ts';
import { dagreLayout } from '../../clients/console/src/views/graph-dagre.ts';
import { groupSteps, NODE_LIMIT, OPEN_LIMIT, reachOf } from '../../clients/console/src/views/graph-group.ts';
import {
  type Layout,
  layeredLayout,
  NODE_HEIGHT,
  NODE_WIDTH,
  pathOf,
} from '../../clients/console/src/views/graph-layout.ts';
import { nextNode } from '../../clients/console/src/views/graph-moves.ts';
import { focusOf, nodeStates } from '../../clients/console/src/views/graph-states.ts';
import { sameStructure, structureOf } from '../../clients/console/src/views/graph-structure.ts';
import type { StepView } from '../../workflows/progress/model.ts';
import { cpuMs } from '../support/cpu.ts';

type Planned = Pick<StepView, 'name' | 'after'>;

/** Steps that wait for some of those before them. */
const plans = (most: number) =>
  fc
    .array(
      fc.record({
        stem: fc.constantFrom('map', 'sort', 'call', 'report'),
        after: fc.array(fc.nat(), { maxLength: 3 }),
      }),
      { minLength: 1, maxLength: most },
    )
    .map((drawn) =>
      drawn.map(
        ({ stem, after }, place): Planned => ({
          name: `${stem}_${place}`,
          after: place === 0 ? [] : after.map((at) => `${drawn[at % place]?.stem}_${at % place}`),
        }),
      ),
    );

const fanOut = (count: number): StepView[] => [
  { name: 'split', state: 'SUCCEEDED' },
  ...Array.from(
    { length: count },
    (_, index): StepView => ({ name: `map_${index + 1}`, state: 'PENDING', after: ['split'] }),
  ),
  { name: 'gather', state: 'PENDING', after: Array.from({ length: count }, (_, index) => `map_${index + 1}`) },
];

describe('the structure of a plan', () => {
  it('has each step in a later layer than what it waits for', () => {
    fc.assert(
      fc.property(plans(60), (steps) => {
        const { before, layers } = structureOf(steps);
        for (const [place, earlier] of before.entries()) {
          for (const one of earlier) expect(layers[place]).toBeGreaterThan(layers[one] as number);
          if (earlier.length === 0) expect(layers[place]).toBe(0);
        }
      }),
    );
  });

  it('stands cycles, steps that wait for themselves, and steps that nobody knows', () => {
    const { layers, before } = structureOf([
      { name: 'a', after: ['a', 'nobody'] },
      { name: 'b', after: ['c', 'a'] },
      { name: 'c', after: ['b'] },
      { name: 'd', after: ['c'] },
    ]);

    expect(before[0]).toEqual([]);
    expect(layers[0]).toBe(0);
    expect(layers.slice(1).every((layer) => layer >= 1)).toBe(true);
  });

  it('is the same while only states change', () => {
    const steps = fanOut(20);
    const later = steps.map((step): StepView => ({ ...step, state: 'RUNNING', percent: 3 }));
    const copied = later.map((step) => ({ ...step, ...(step.after && { after: [...step.after] }) }));

    expect(sameStructure(steps, later)).toBe(true);
    expect(sameStructure(steps, copied)).toBe(true);
    expect(sameStructure(steps, [...steps, { name: 'more' }])).toBe(false);
    expect(
      sameStructure(
        steps,
        steps.map((step, place) => (place === 3 ? { ...step, after: [] } : step)),
      ),
    ).toBe(false);
  });
});

describe('grouping', () => {
  it('has every step in one node, and an edge wherever one of the members has one', () => {
    fc.assert(
      fc.property(
        plans(80),
        fc.integer({ min: 2, max: 30 }),
        fc.array(fc.nat(), { maxLength: 4 }),
        (steps, limit, picks) => {
          const structure = structureOf(steps);
          const closed = groupSteps(structure, new Set(), limit);
          const groups = closed.nodes.filter((node) => node.group);
          const open = new Set(picks.flatMap((pick) => groups[pick % Math.max(1, groups.length)]?.id ?? []));
          for (const graph of [closed, groupSteps(structure, open, limit)]) {
            const members = graph.nodes.flatMap((node) => node.members);
            expect([...members].sort((a, b) => a - b)).toEqual([...steps.keys()]);
            expect(new Set(graph.nodes.map((node) => node.id)).size).toBe(graph.nodes.length);
            const pairs = new Set(graph.edges.map((edge) => `${edge.from}>${edge.to}`));
            expect(pairs.size).toBe(graph.edges.length);
            const expected = new Set<string>();
            for (const [place, earlier] of structure.before.entries()) {
              for (const one of earlier) {
                const [from, to] = [graph.nodeOf[one], graph.nodeOf[place]];
                if (from !== to) expected.add(`${from}>${to}`);
              }
            }
            expect(pairs).toEqual(expected);
          }
          expect(closed.nodes.length).toBeLessThanOrEqual(Math.max(limit, 1));
        },
      ),
    );
  });

  it('leaves a plan below the limit as it is', () => {
    const graph = groupSteps(structureOf(fanOut(NODE_LIMIT - 2)));

    expect(graph.nodes).toHaveLength(NODE_LIMIT);
    expect(graph.nodes.some((node) => node.group)).toBe(false);
  });

  it('makes one node of many that are alike, says how far they are, and opens in parts', () => {
    const steps = fanOut(999).map((step, place): StepView => (place <= 900 ? { ...step, state: 'SUCCEEDED' } : step));
    const structure = structureOf(steps);

    const graph = groupSteps(structure);
    const states = nodeStates(graph, steps);

    expect(graph.nodes.map((node) => node.label)).toEqual(['split', 'map_*', 'gather']);
    expect(states[1]).toMatchObject({ counts: '900/999 done', label: 'Running' });
    expect(states[1]?.percent).toBeCloseTo(90.09, 1);

    const opened = groupSteps(structure, new Set([graph.nodes[1]?.id as string]));
    expect(opened.nodes.length).toBeGreaterThan(3);
    expect(opened.nodes.length).toBeLessThanOrEqual(OPEN_LIMIT + 2);
    expect(opened.nodes[1]).toMatchObject({ label: 'map_1 … map_25', parent: graph.nodes[1]?.id });

    const further = groupSteps(structure, new Set([graph.nodes[1]?.id as string, opened.nodes[1]?.id as string]));
    expect(further.nodes.map((node) => node.label)).toContain('map_17');
  });

  it('keeps to the limit whatever the plan is: names that have nothing in common, and a chain of 10,000', () => {
    const letters = (index: number): string => [...String(index)].map((digit) => 'abcdefghij'[Number(digit)]).join('');
    const unlike = Array.from(
      { length: 10_000 },
      (_, index): Planned => ({ name: letters(index), after: [letters(index % 7)] }),
    );
    const chain = Array.from(
      { length: 10_000 },
      (_, index): Planned => ({ name: `s${index}`, after: [`s${index - 1}`] }),
    );

    for (const steps of [unlike, chain]) {
      const graph = groupSteps(structureOf(steps));
      expect(graph.nodes.length).toBeLessThanOrEqual(NODE_LIMIT);
    }
  });

  it('goes on saying how far steps are while newer ones are being told of, and when another attempt has begun', () => {
    const steps = fanOut(2);
    const graph = groupSteps(structureOf(steps));
    const done = steps.map((step): StepView => ({ ...step, state: 'SUCCEEDED' }));

    expect(nodeStates(graph, [{ name: 'new', state: 'FAILED' }, ...done]).map((state) => state.label)).toEqual(
      Array.from({ length: 4 }, () => 'Succeeded'),
    );
    expect(nodeStates(graph, []).map((state) => state.label)).toEqual(Array.from({ length: 4 }, () => 'Pending'));
  });

  it('puts what failed before everything else', () => {
    const steps = fanOut(999).map((step, place): StepView => (place === 7 ? { ...step, state: 'FAILED' } : step));
    const graph = groupSteps(structureOf(steps));
    const states = nodeStates(graph, steps);

    expect(states[1]).toMatchObject({ tone: 'bad', counts: '0/999 done, 1 failed' });
    expect(focusOf(states)).toBe(1);
  });
});

describe('what a step depends on', () => {
  it('is all that is before it, and all that is after it', () => {
    fc.assert(
      fc.property(plans(40), fc.nat(), (steps, pick) => {
        const { edges, nodes } = groupSteps(structureOf(steps));
        const node = pick % nodes.length;
        const { ancestors, descendants } = reachOf(edges, node);
        for (const { from, to } of edges) {
          if (to === node || ancestors.has(to)) expect(ancestors.has(from)).toBe(true);
          if (from === node || descendants.has(from)) expect(descendants.has(to)).toBe(true);
        }
        for (const one of ancestors) expect(reachOf(edges, one).descendants.has(node)).toBe(true);
      }),
    );
  });
});

const overlap = ({ nodes }: Layout): boolean =>
  nodes.some((one, place) =>
    nodes.some(
      (other, index) =>
        index > place && Math.abs(one.x - other.x) < NODE_WIDTH - 0.5 && Math.abs(one.y - other.y) < NODE_HEIGHT - 0.5,
    ),
  );

describe('layouts', () => {
  it.each([
    ['layered', layeredLayout],
    [
      'dagre',
      (layers: readonly number[], edges: Parameters<typeof layeredLayout>[1]) => dagreLayout({ layers, edges }),
    ],
  ] as const)('%s: nodes lie side by side within the picture, from left to right', (_name, layout) => {
    fc.assert(
      fc.property(plans(25), (steps) => {
        const graph = groupSteps(structureOf(steps));
        const layers = graph.nodes.map((node) => node.layer);
        const made = layout(layers, graph.edges);
        expect(made.nodes).toHaveLength(steps.length);
        expect(overlap(made)).toBe(false);
        for (const { x, y } of made.nodes) {
          expect(x - NODE_WIDTH / 2).toBeGreaterThanOrEqual(0);
          expect(x + NODE_WIDTH / 2).toBeLessThanOrEqual(made.width);
          expect(y - NODE_HEIGHT / 2).toBeGreaterThanOrEqual(0);
          expect(y + NODE_HEIGHT / 2).toBeLessThanOrEqual(made.height);
        }
        for (const [place, { from, to }] of graph.edges.entries()) {
          expect(made.nodes[to]?.x).toBeGreaterThan(made.nodes[from]?.x as number);
          expect(pathOf(made.edges[place] ?? [])).toMatch(/^M-?[\d.]+,-?[\d.]+C/);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('by layers lays out 10,000 steps in the time of a frame or few', () => {
    const steps = fanOut(9_998);
    const structure = structureOf(steps);
    const all = groupSteps(structure, new Set(), steps.length);

    const took = cpuMs(() => {
      const layout = layeredLayout(
        all.nodes.map((node) => node.layer),
        all.edges,
      );
      expect(layout.nodes).toHaveLength(10_000);
    });

    // Some 15 ms as a rule.
    expect(took).toBeLessThan(1_000);
  });
});

describe('the camera', () => {
  const layout = layeredLayout(
    [0, 1, 1, 2],
    [
      { from: 0, to: 1 },
      { from: 0, to: 2 },
      { from: 1, to: 3 },
    ],
  );

  it('fits all of a graph into the view', () => {
    fc.assert(
      fc.property(fc.integer({ min: 50, max: 2_000 }), fc.integer({ min: 50, max: 2_000 }), (width, height) => {
        const camera = fitCamera(layout, { width, height });
        expect(camera.x).toBeGreaterThanOrEqual(-1e-6);
        expect(camera.x + layout.width * camera.scale).toBeLessThanOrEqual(width + 1e-6);
        expect(camera.y + layout.height * camera.scale).toBeLessThanOrEqual(height + 1e-6);
        expect(visibleNodes(layout, camera, { width, height })).toHaveLength(4);
      }),
    );
  });

  it('begins where it matters when all of it could not be read', () => {
    const camera = firstCamera(layout, 3, { width: 200, height: 200 });
    const at = layout.nodes[3] as { x: number; y: number };

    expect(camera.scale).toBeGreaterThan(0.5);
    expect(at.x * camera.scale + camera.x).toBeLessThan(200);
    expect(at.x * camera.scale + camera.x).toBeGreaterThan(0);
  });

  it('zooms at the pointer, within limits', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 100, noNaN: true }), fc.integer({ min: -500, max: 500 }), (factor, x) => {
        const before = { scale: 1, x: 10, y: 20 };
        const after = zoomCamera(before, factor, { x, y: 5 });
        expect((x - after.x) / after.scale).toBeCloseTo((x - before.x) / before.scale, 4);
        expect(after.scale).toBeLessThanOrEqual(3);
      }),
    );
  });

  it('goes by arrow keys to the neighbour, and stays at the edge', () => {
    expect(nextNode(layout, 0, 'Left')).toBe(0);
    expect(nextNode(layout, 1, 'Down')).toBe(2);
    expect(nextNode(layout, 1, 'Right')).toBe(3);
    expect([1, 2]).toContain(nextNode(layout, 0, 'Right'));
  });
});
