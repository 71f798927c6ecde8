/** The files of the AWS command line: sections of `key = value`. Indented lines belong to the key above and are left out. */
export function parseIni(text: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const sections = new Map<string, Map<string, string>>()
  let section: Map<string, string> | undefined
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*([#;]|$)/.test(line)) continue
    const name = /^\[\s*(.+?)\s*\]/.exec(line)?.[1]
    if (name !== undefined) {
      section = sections.get(name) ?? new Map()
      sections.set(name, section)
      continue
    }
    const pair = /^([^\s=][^=]*?)\s*=\s*(.*?)\s*$/.exec(line)
    if (pair !== null) section?.set(pair[1] as string, (pair[2] as string).replace(/\s[#;].*$/, ''))
  }
  return sections
}
