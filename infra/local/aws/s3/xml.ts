/**
 * S3's XML: written by hand (its shapes are few and flat), read with a real parser.
 *
 * @module
 */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import type { AwsRequest, AwsResponse } from '../../kit/service.ts';
import { toXml, type XmlObject } from '../../kit/xml.ts';
import { malformedXml } from './errors.ts';

export { escapeXml, toXml, type XmlObject } from '../../kit/xml.ts';

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';
/** A CompleteMultipartUpload of 10,000 parts with checksums, or a DeleteObjects of 1,000 long keys, stays below. */
const BODY_LIMIT = 8 * 1024 * 1024;

export function xmlResponse(root: string, content: XmlObject, headers: Record<string, string> = {}): AwsResponse {
  return {
    status: 200,
    headers: { 'content-type': 'application/xml', ...headers },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${NAMESPACE}">${toXml(content)}</${root}>`,
  };
}

export type XmlNode = Record<string, unknown>;

const parser = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  trimValues: false,
  removeNSPrefix: true,
  processEntities: true,
  htmlEntities: true,
});

/**
 * Reads the body as XML and gives the root element's content.
 * @throws AwsError MalformedXML when it is no XML or has another root
 */
export async function readXml(request: AwsRequest, root: string): Promise<XmlNode> {
  const text = (await request.bytes(BODY_LIMIT)).toString('utf8');
  if (XMLValidator.validate(text) !== true) throw malformedXml();
  const parsed = parser.parse(text) as XmlNode;
  if (!(root in parsed)) throw malformedXml();
  const content = parsed[root];
  return typeof content === 'object' && content !== null ? (content as XmlNode) : {};
}

/** A child that may occur any number of times. */
export function children(node: XmlNode, name: string): XmlNode[] {
  const value = node[name];
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : [value]).map((one) =>
    typeof one === 'object' ? (one as XmlNode) : { '#text': one },
  );
}

export function text(node: XmlNode, name: string): string | undefined {
  const value = node[name];
  if (value === undefined || typeof value === 'object') return undefined;
  return String(value);
}

export function requiredText(node: XmlNode, name: string): string {
  const value = text(node, name);
  if (value === undefined) throw malformedXml();
  return value;
}
