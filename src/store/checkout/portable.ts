/**
 * Names that a file system cannot hold. A store takes every name that Linux takes; a checkout onto a stick with FAT, or
 * onto Windows, would fail in the middle, or write two files over each other: so it is refused before its first write.
 *
 * The rules are those of Win32 ("Naming Files, Paths, and Namespaces") and of the Linux drivers for FAT, exFAT and NTFS.
 */
import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { ArtifactsError } from '../../errors.ts'
import type { Entry } from '../../types.ts'
import { fileSystemType } from '../io/file-system.ts'

/** What a file system cannot do. */
export interface NameLimits {
  /** Holds no `<>:"\|?*`, control characters, or names that end in a dot or space. */
  readonly characters: boolean
  /** Takes `CON` and its like for devices. */
  readonly devices: boolean
  /** Takes `a` and `A`, and `é` written in one or two characters, for one name. */
  readonly folds: boolean
}

/** @throws ArtifactsError ERR_INVALID_PATH naming up to ten entries that the file system of `dir` cannot hold. */
export function refuseUnportable(
  { ref, dir }: { readonly ref: string; readonly dir: string },
  entries: () => Iterable<Entry>,
): void {
  const limits = limitsOf(dir)
  if (limits === undefined) return
  const refused = unportable(entries(), limits)
  if (refused.length === 0) return
  const named = refused.slice(0, 10).map(({ path, reason }) => `  "${path}": ${reason}`)
  if (refused.length > named.length) named.push(`  and ${refused.length - named.length} more`)
  throw new ArtifactsError(
    'ERR_INVALID_PATH',
    `The file system of "${dir}" cannot hold these entries of "${ref}"; nothing was written:\n${named.join('\n')}`,
    {
      hint: `Take a directory elsewhere, or leave them out: \`artifacts checkout ${ref} DIR -- PATH...\``,
    },
  )
}

interface Refusal {
  readonly path: string
  readonly reason: string
}

/** The entries that cannot be held, and why. Entries come in the order of their paths. */
export function unportable(
  entries: Iterable<Pick<Entry, 'path'>>,
  { characters, devices, folds }: NameLimits,
): Refusal[] {
  const refused: Refusal[] = []
  // One for each directory that the path before lies in: who has a name there.
  let open: Level[] = [{ name: '', taken: new Map() }]
  for (const { path } of entries) {
    const parts = path.split('/')
    let depth = 1
    while (depth < parts.length && open[depth]?.name === parts[depth - 1]) depth++
    open = open.slice(0, depth)
    for (let at = depth - 1; at < parts.length; at++) {
      const part = parts[at] as string
      const reason =
        (characters ? characterProblem(part) : undefined) ??
        (devices ? deviceProblem(part) : undefined) ??
        (folds ? clash(open[at] as Level, part) : undefined)
      if (reason !== undefined) refused.push({ path, reason })
      if (at < parts.length - 1) open[at + 1] = { name: part, taken: new Map() }
      if (reason !== undefined) break
    }
  }
  return refused
}

interface Level {
  readonly name: string
  readonly taken: Map<string, string>
}

function characterProblem(name: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const found = /[<>:"\\|?*\u0000-\u001f]/.exec(name)?.[0]
  if (found !== undefined) return `no name there holds ${JSON.stringify(found)}`
  return /[. ]$/.test(name) ? 'no name there ends in a dot or space' : undefined
}

function deviceProblem(name: string): string | undefined {
  const device = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?$/i.exec(name)?.[1]
  return device === undefined ? undefined : `"${device}" is a device there`
}

function clash({ taken }: Level, name: string): string | undefined {
  const folded = name.normalize('NFC').toLowerCase()
  const other = taken.get(folded)
  taken.set(folded, other ?? name)
  return other === undefined || other === name ? undefined : `it is the same as "${other}" there`
}

const FAT: NameLimits = { characters: true, devices: false, folds: true }
const BY_TYPE: ReadonlyMap<number, NameLimits> = new Map([
  [0x4d44, FAT],
  [0x2011bab0, FAT], // exfat
  [0x7366746e, { characters: true, devices: true, folds: false }], // ntfs3
  [0x5346544e, { characters: true, devices: true, folds: false }], // ntfs
  [0xff534d42, { characters: false, devices: false, folds: true }], // cifs
  [0xfe534d42, { characters: false, devices: false, folds: true }], // smb2
])

function limitsOf(dir: string): NameLimits | undefined {
  if (process.platform === 'win32') return { characters: true, devices: true, folds: true }
  if (process.platform === 'darwin') return { characters: false, devices: false, folds: true }
  let existing = dir
  while (statSync(existing, { throwIfNoEntry: false }) === undefined) existing = dirname(existing)
  return BY_TYPE.get(fileSystemType(existing))
}
