/**
 * Writing XML by hand: the shapes of S3 and of the query protocols are few and flat.
 *
 * @module
 */

/** Undefined members are left out; an array repeats its element. */
export interface XmlObject {
  [name: string]: XmlValue;
}
type XmlValue = string | number | boolean | undefined | XmlObject | readonly (string | XmlObject)[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
};

export function escapeXml(text: string): string {
  return /[&<>"\r]/.test(text) ? text.replace(/[&<>"\r]/g, (char) => ENTITIES[char] ?? char) : text;
}

export function toXml(content: XmlObject): string {
  let text = '';
  for (const [name, value] of Object.entries(content)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) {
      text += `<${name}>${typeof one === 'object' ? toXml(one as XmlObject) : escapeXml(String(one))}</${name}>`;
    }
  }
  return text;
}
