/**
 * Takes out of a transcript what belongs to an account, a person or a moment, so that it can be kept and shared. Pure.
 *
 * @module
 */

/** In this order: a longer thing must go before a rule can see only a piece of it. */
const RULES: readonly (readonly [RegExp, string])[] = [
  [/longhaul-contract-[a-z0-9-]*?[0-9a-f]{8}(?![0-9a-f])/g, '<name>'],
  [/[\w.%+-]+@[\w-]+(\.[\w-]+)+/g, '<email>'],
  [/https?:\/\/[^/\s"'<>\\]+/g, '<address>'],
  [/[\w.-]+\.(amazonaws|aws)(\.[a-z]+)+(:\d+)?/g, '<address>'],
  [/(?<![\d.])\d{1,3}(\.\d{1,3}){3}(:\d+)?(?![\d.])/g, '<address>'],
  [/\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?/g, '<time>'],
  [/(?<!\d)\d{8}T\d{6}Z/g, '<time>'],
  [/(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT/g, '<time>'],
  [/(?<!\w)(?=:*[0-9a-f])([0-9a-f]{0,4}:){2,8}[0-9a-f]{0,4}(?!\w)/gi, '<address>'],
  [/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi, '<id>'],
  [/(?<![A-Z0-9])(AKIA|ASIA|AIDA|AROA|AGPA|ANPA|ANVA|AIPA|APKA|ABIA|ACCA|ASCA)[A-Z0-9]{12,}/g, '<key>'],
  [
    /(Signature|Credential|SecurityToken|Security-Token|SecretAccessKey|SessionToken)(["']?\s*[=:]\s*["']?)[^\s"'&,;<]+/gi,
    '$1$2<token>',
  ],
  // Receipt handles, upload ids, session tokens, secret keys, signatures, continuation tokens.
  [/(?<![\w/+=-])[\w/+=-]{40,}/g, '<token>'],
  [/(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/gi, '<id>'],
  [/(?<![A-Z0-9])(?=[A-Z0-9]*\d)[A-Z0-9]{16}(?![A-Z0-9])/g, '<id>'],
  [/(?<![a-z0-9])(i|ami|eni|sg|subnet|vpc|vol|lt|fs)-[0-9a-f]{8,17}(?![0-9a-f])/g, '<id>'],
  [/(?<!\d)1\d{9}(\d{3})?(?!\d)/g, '<time>'],
  [/(?<!\d)\d{12}(?!\d)/g, '<account>'],
];

export function scrub(text: string): string {
  return RULES.reduce((scrubbed, [pattern, instead]) => scrubbed.replace(pattern, instead), text);
}
