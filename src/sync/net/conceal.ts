/** What a server says is passed on to people, but for what it was told in confidence: it may repeat that. */

const CONFIDENTIAL = ['authorization', 'proxy-authorization', 'x-amz-security-token', 'cookie']

/** @param headers of the request that was answered */
export function conceal(text: string, headers: Readonly<Record<string, string>>): string {
  let shown = text
  for (const [name, value] of Object.entries(headers)) {
    if (!CONFIDENTIAL.includes(name.toLowerCase())) continue
    for (const secret of secretsIn(value)) shown = shown.replaceAll(secret, '***')
  }
  return shown
}

/** The longest first: with and without its scheme, a signature, what `Basic` holds. */
function secretsIn(header: string): string[] {
  const [, scheme = '', rest = ''] = /^(\S+) (.+)$/.exec(header) ?? []
  const [, signature] = /Signature=([0-9a-f]+)/.exec(rest) ?? []
  const pair = /^basic$/i.test(scheme) ? Buffer.from(rest, 'base64').toString() : ''
  const password = pair.slice(pair.indexOf(':') + 1)
  return [header, rest, signature ?? '', pair, password].filter((each) => each.length > 3)
}
