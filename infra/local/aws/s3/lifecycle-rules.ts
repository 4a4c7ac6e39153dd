/**
 * Lifecycle rules: what S3 takes for one, how it says them again, and when an object's time is over by them.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { expiryOf } from './archive.ts';
import { invalidArgument, invalidRequest, malformedXml, notImplemented } from './errors.ts';
import type { LifecycleRule, MultipartUpload, ObjectVersion } from './model.ts';
import { children, requiredText, text, type XmlNode, type XmlObject } from './xml.ts';

const MOST_RULES = 1_000;
const MOST_ID = 255;

/** S3 has them; this stand-in does nothing of the kind. */
const NOT_HERE = ['Transition', 'NoncurrentVersionTransition'];
const FILTERS_NOT_HERE = ['Tag', 'And', 'ObjectSizeGreaterThan', 'ObjectSizeLessThan'];

/** @throws S3Error MalformedXML, InvalidArgument, InvalidRequest as S3; NotImplemented for what is not here */
export function readRules(root: XmlNode): LifecycleRule[] {
  const rules = children(root, 'Rule').map(readRule);
  if (rules.length === 0 || rules.length > MOST_RULES) throw malformedXml();
  const ids = new Set<string>();
  for (const { id } of rules) {
    if (ids.has(id)) {
      throw invalidArgument('Rule ID must be unique. Found same ID for more than one rule', 'ID', id);
    }
    ids.add(id);
  }
  return rules;
}

function readRule(node: XmlNode): LifecycleRule {
  const other = NOT_HERE.find((name) => name in node);
  if (other !== undefined) throw notImplemented(other);
  const id = text(node, 'ID') || randomUUID();
  if (id.length > MOST_ID) throw invalidArgument('ID length should not exceed allowed limit of 255', 'ID', id);
  const status = requiredText(node, 'Status');
  if (status !== 'Enabled' && status !== 'Disabled') throw malformedXml();
  const rule: LifecycleRule = {
    id,
    enabled: status === 'Enabled',
    prefix: readPrefix(node),
    ...readExpiration(node),
    ...readNoncurrent(node),
    ...readAbort(node),
  };
  const acts = rule.days ?? rule.noncurrentDays ?? rule.abortDays ?? rule.expiredMarkers;
  if (acts === undefined) throw invalidRequest('At least one action needs to be specified in a rule');
  return rule;
}

/** In `Filter`, or as older rules have it, in the rule; one of the two must be there, be it empty. */
function readPrefix(node: XmlNode): string {
  if ('Filter' in node === 'Prefix' in node) throw malformedXml();
  if ('Prefix' in node) return text(node, 'Prefix') ?? '';
  const [filter = {}] = children(node, 'Filter');
  const other = FILTERS_NOT_HERE.find((name) => name in filter);
  if (other !== undefined) throw notImplemented(`Filter.${other}`);
  return text(filter, 'Prefix') ?? '';
}

function readExpiration(node: XmlNode): Pick<LifecycleRule, 'days' | 'expiredMarkers'> {
  const [expiration] = children(node, 'Expiration');
  if (!expiration) return {};
  if ('Date' in expiration) throw notImplemented('Expiration.Date');
  const markers = text(expiration, 'ExpiredObjectDeleteMarker');
  if ('Days' in expiration === (markers !== undefined)) throw malformedXml();
  if (markers === undefined) return { days: readDays(expiration, 'Days', 'Expiration') };
  if (markers !== 'true' && markers !== 'false') throw malformedXml();
  return markers === 'true' ? { expiredMarkers: true } : {};
}

function readNoncurrent(node: XmlNode): Pick<LifecycleRule, 'noncurrentDays'> {
  const [noncurrent] = children(node, 'NoncurrentVersionExpiration');
  if (!noncurrent) return {};
  if ('NewerNoncurrentVersions' in noncurrent) throw notImplemented('NewerNoncurrentVersions');
  return { noncurrentDays: readDays(noncurrent, 'NoncurrentDays', 'NoncurrentVersionExpiration') };
}

function readAbort(node: XmlNode): Pick<LifecycleRule, 'abortDays'> {
  const [abort] = children(node, 'AbortIncompleteMultipartUpload');
  return abort ? { abortDays: readDays(abort, 'DaysAfterInitiation', 'AbortIncompleteMultipartUpload') } : {};
}

function readDays(node: XmlNode, name: string, action: string): number {
  const days = requiredText(node, name);
  if (!/^-?\d{1,9}$/.test(days)) throw malformedXml();
  if (Number(days) < 1) {
    throw invalidArgument(`'${name}' for ${action} action must be a positive integer`, name, days);
  }
  return Number(days);
}

export function rulesXml(rules: readonly LifecycleRule[]): XmlObject {
  return {
    Rule: rules.map((rule): XmlObject => {
      const { id, enabled, prefix, days, expiredMarkers, noncurrentDays, abortDays } = rule;
      return {
        ID: id,
        Filter: prefix === '' ? {} : { Prefix: prefix },
        Status: enabled ? 'Enabled' : 'Disabled',
        ...(days !== undefined && { Expiration: { Days: days } }),
        ...(expiredMarkers && { Expiration: { ExpiredObjectDeleteMarker: true } }),
        ...(noncurrentDays !== undefined && { NoncurrentVersionExpiration: { NoncurrentDays: noncurrentDays } }),
        ...(abortDays !== undefined && { AbortIncompleteMultipartUpload: { DaysAfterInitiation: abortDays } }),
      };
    }),
  };
}

/** When an object that is the current version expires, and by which rule: the earliest of those that mean it. */
export function expirationOf(
  rules: readonly LifecycleRule[] | undefined,
  { key, at, deleteMarker }: Pick<ObjectVersion, 'key' | 'at' | 'deleteMarker'>,
): { at: number; rule: LifecycleRule } | undefined {
  if (deleteMarker) return undefined;
  const due = applying(rules, key).flatMap((rule) =>
    rule.days === undefined ? [] : [{ at: expiryOf(at, rule.days), rule }],
  );
  return due.toSorted((one, other) => one.at - other.at)[0];
}

/** Of the current version: what reads and writes say of its end. */
export function expirationHeader(
  rules: readonly LifecycleRule[] | undefined,
  version: ObjectVersion,
): Record<string, string> {
  const expiration = expirationOf(rules, version);
  if (!expiration) return {};
  const { at, rule } = expiration;
  const date = new Date(at).toUTCString();
  return { 'x-amz-expiration': `expiry-date="${date}", rule-id="${encodeURIComponent(rule.id)}"` };
}

/** @param since when another version took its place */
export function noncurrentIsOver(
  rules: readonly LifecycleRule[],
  { key }: Pick<ObjectVersion, 'key'>,
  since: number,
  now: number,
): boolean {
  return applying(rules, key).some(({ noncurrentDays: days }) => days !== undefined && expiryOf(since, days) <= now);
}

/** A delete marker that hides nothing more: a rule with days removes it once it is as old as that. */
export function markerIsOver(
  rules: readonly LifecycleRule[],
  { key, at }: Pick<ObjectVersion, 'key' | 'at'>,
  now: number,
): boolean {
  return applying(rules, key).some(
    ({ days, expiredMarkers }) => expiredMarkers || (days !== undefined && expiryOf(at, days) <= now),
  );
}

export function uploadIsOver(
  rules: readonly LifecycleRule[],
  { key, at }: Pick<MultipartUpload, 'key' | 'at'>,
  now: number,
): boolean {
  return applying(rules, key).some(({ abortDays: days }) => days !== undefined && expiryOf(at, days) <= now);
}

const applying = (rules: readonly LifecycleRule[] | undefined, key: string): LifecycleRule[] =>
  (rules ?? []).filter(({ enabled, prefix }) => enabled && key.startsWith(prefix));
