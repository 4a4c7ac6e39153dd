/**
 * The graph as a list: for screen readers, and for whoever would rather read.
 *
 * @module
 */
import { useMemo, useState } from 'preact/hooks';
import type { GroupedGraph } from './graph-group.ts';
import { nodeText } from './graph-parts.tsx';
import type { NodeState } from './graph-states.ts';

export interface GraphListProps {
  graph: GroupedGraph;
  states: readonly NodeState[];
  onChoose: (place: number) => void;
}

/** More are on the next page. */
const PAGE = 200;

export function GraphList(props: GraphListProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="dag-list" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>As a list</summary>
      {isOpen && <List {...props} />}
    </details>
  );
}

function List({ graph: { nodes, edges }, states, onChoose }: GraphListProps) {
  const [length, setLength] = useState(PAGE);
  const before = useMemo(() => labelsBefore(nodes, edges), [nodes, edges]);
  return (
    <ul>
      {nodes.slice(0, length).map((node, place) => {
        const state = states[place];
        return (
          <li key={node.id}>
            <button type="button" onClick={() => onChoose(place)}>
              {state ? nodeText(node, state) : node.label}
            </button>
            {afterText(before.get(place) ?? [])}
          </li>
        );
      })}
      {nodes.length > length && (
        <li>
          <button type="button" onClick={() => setLength(length + PAGE)}>
            {nodes.length - length} more
          </button>
        </li>
      )}
    </ul>
  );
}

function labelsBefore(nodes: GroupedGraph['nodes'], edges: GroupedGraph['edges']): Map<number, string[]> {
  const before = new Map<number, string[]>();
  for (const { from, to } of edges) {
    const labels = before.get(to);
    const label = nodes[from]?.label ?? '';
    if (labels) labels.push(label);
    else before.set(to, [label]);
  }
  return before;
}

function afterText(labels: readonly string[]): string {
  if (labels.length === 0) return '';
  const more = labels.length > 10 ? ` and ${labels.length - 10} more` : '';
  return ` after ${labels.slice(0, 10).join(', ')}${more}`;
}
