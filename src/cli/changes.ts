/** Differences between trees as lines: in words, as git's --name-status, or with what each file grew by. */
import type { Change, EntrySummary } from '../index.ts'
import { type Style, size } from './render.ts'

/** git's letters; a changed executable bit counts as modified there. */
const LETTERS: Readonly<Record<Change['kind'], string>> = {
  added: 'A',
  removed: 'D',
  modified: 'M',
  renamed: 'R',
  mode: 'M',
  type: 'T',
}

/** `modified  data.csv  1.2 MB -> 1.3 MB` */
export function changeLine(change: Change, style: Style): string {
  const { kind, path, from, before, after } = change
  const name = from === undefined ? style.name(path) : `${style.name(from)} -> ${style.name(path)}`
  const facts = describe(kind, before, after)
  return `${paint(kind, style)(kind.padEnd(8))}  ${name}${facts === '' ? '' : `  ${facts}`}`
}

/** `M<tab>data.csv`, `R<tab>old<tab>new` */
export function statusLine({ kind, path, from }: Change, style: Style): string {
  const names = from === undefined ? [path] : [from, path]
  return [LETTERS[kind], ...names.map(style.name)].join('\t')
}

/** `  +12 kB  data.csv` */
export function statLine({ path, before, after }: Change, style: Style): string {
  const grown = (after?.size ?? 0) - (before?.size ?? 0)
  return `${signed(grown).padStart(9)}  ${style.name(path)}`
}

export function signed(bytes: number): string {
  return bytes < 0 ? `-${size(-bytes)}` : `+${size(bytes)}`
}

function describe(kind: Change['kind'], before?: EntrySummary, after?: EntrySummary): string {
  const [old, now] = [before, after].map((entry) => (entry === undefined ? '' : size(entry.size)))
  switch (kind) {
    case 'type':
      return `${before?.kind} -> ${after?.kind}`
    case 'mode':
      return after?.executable ? 'executable' : 'not executable'
    case 'renamed':
      return ''
    case 'modified':
      return old === now ? `${now}` : `${old} -> ${now}`
    default:
      return `${now || old}`
  }
}

function paint(kind: Change['kind'], style: Style): (text: string) => string {
  if (kind === 'added') return style.added
  return kind === 'removed' ? style.removed : style.changed
}
