/**
 * The XML of S3's answers: elements that hold elements or text, no attributes that matter. Answers are bounded before
 * they come here; keys are asked for percent-encoded, because XML can't hold every byte.
 */

/** What is inside each element of this name, outermost ones, in order. */
export function elements(xml: string, name: string): string[] {
  const found: string[] = []
  const open = new RegExp(`<${name}(?:\\s[^>]*)?>`, 'g')
  for (let match = open.exec(xml); match !== null; match = open.exec(xml)) {
    const from = match.index + match[0].length
    const to = xml.indexOf(`</${name}>`, from)
    if (to < 0) break
    found.push(xml.slice(from, to))
    open.lastIndex = to
  }
  return found
}

/** The text of the first element of this name. */
export function text(xml: string, name: string): string | undefined {
  const [first] = elements(xml, name)
  return first === undefined ? undefined : unescaped(first)
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
}

function unescaped(value: string): string {
  return value.replace(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi,
    (whole, hex, decimal, name) => {
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
      if (name !== undefined) return ENTITIES[name] ?? whole
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole
    },
  )
}
