/**
 * `~/.netrc`, as curl and git read it
 * (https://www.gnu.org/software/inetutils/manual/html_node/The-_002enetrc-file.html). The entry `default` is left out: it would
 * give a password to servers that it was never meant for.
 */
export interface Login {
  /** Empty where the entry has none. */
  readonly user: string
  readonly password: string
}

/** The first entry for a host that has a password. */
export function loginFor(text: string, host: string): Login | undefined {
  const words = wordsOf(text)
  let machine: string | undefined
  let user = ''
  let password: string | undefined
  for (let i = 0; i <= words.length; i++) {
    const word = words[i]
    if (word === undefined || word === 'machine' || word === 'default') {
      if (machine === host.toLowerCase() && password !== undefined) return { user, password }
      machine = word === 'machine' ? words[++i]?.toLowerCase() : undefined
      user = ''
      password = undefined
    } else if (word === 'login') user = words[++i] ?? ''
    else if (word === 'password') password = words[++i]
    else if (word === 'account') i++
  }
  return undefined
}

/** Words, which quotes may hold together; without comments and macros, which end at an empty line. */
function wordsOf(text: string): string[] {
  const plain = text
    .replace(/^[ \t]*#.*$/gm, '')
    .replace(/\bmacdef\s[\s\S]*?(?:\r?\n[ \t]*(?:\r?\n|$)|$)/g, '')
  return Array.from(plain.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g), ([, quoted, word]) =>
    quoted === undefined ? (word ?? '') : quoted.replace(/\\(.)/g, '$1'),
  )
}
