/**
 * From what the stages of a story were billed for to who used how much of what: no money yet.
 *
 * @module
 */
import type { Component, PriceKey } from '../../workflows/cost/model.ts';
import { type Consumed, type Consumption, millionthsOf, WHOLE } from '../cost/consumption.ts';
import { compare } from '../digest.ts';
import type { StageUsage, StoryRecord } from './document.ts';

type TokenKey = Extract<PriceKey, { kind: 'tokens' }>;
/** In no Region. */
const GLOBAL = 'global';

/** What a stage is for: `text` of `text-2`. */
export const kindOf = (stage: string): string => stage.replace(/[-@].*$/, '');

const componentOf = (stage: string): Component => {
  const kind = kindOf(stage);
  return kind === 'image' || kind === 'audio' ? kind : 'text';
};

/**
 * Cached tokens are a part of the input, those of pictures a part of the output. Of several stages of a kind the last has
 * bought the result; what was paid before it is lost.
 * @param region where Polly speaks
 */
export function consumptionsOf(usage: StoryRecord['usage'], region: string): Consumption[] {
  const last = lastOfKinds(usage);
  return Object.entries(usage).flatMap(([stage, used]) => {
    const at = Date.parse(used.at);
    const about = {
      component: componentOf(stage),
      purpose: 'use' as const,
      step: stage,
      outcome: last.get(kindOf(stage)) === stage ? ('done' as const) : ('failed' as const),
      resource: used.model,
      size: WHOLE,
    };
    const amounts = used.service === 'polly' ? spoken(used, region) : tokens(used);
    return amounts
      .filter(([, count]) => count > 0)
      .map(([what, count]) => ({ what: { ...about, ...what }, share: millionthsOf(count), from: at, to: at }));
  });
}

type What = Pick<Consumed, 'resourceType' | 'region' | 'service' | 'key' | 'unit'>;

function tokens(used: StageUsage): [What, number][] {
  const { model, inputTokens = 0, cachedInputTokens: cached = 0, outputTokens = 0, imageTokens = 0 } = used;
  const of = (part: TokenKey['of']): What => ({
    resourceType: `${part.replace('-', ' ')} tokens`,
    region: GLOBAL,
    service: 'OpenAI',
    key: { kind: 'tokens', model, of: part },
    unit: '1M Tokens',
  });
  return [
    [of('input'), inputTokens - cached],
    [of('cached-input'), cached],
    [of('output'), outputTokens - imageTokens],
    [of('image-output'), imageTokens],
  ];
}

const spoken = ({ model: engine, characters = 0 }: StageUsage, region: string): [What, number][] => [
  [
    {
      resourceType: `${engine} speech`,
      region,
      service: 'AmazonPolly',
      key: { kind: 'speech', region, engine },
      unit: '1M Characters',
    },
    characters,
  ],
];

function lastOfKinds(usage: StoryRecord['usage']): Map<string, string> {
  const byTime = Object.entries(usage).toSorted(([a, { at: first }], [b, { at: second }]) =>
    first === second ? compare(a, b) : compare(first, second),
  );
  return new Map(byTime.map(([stage]) => [kindOf(stage), stage]));
}
