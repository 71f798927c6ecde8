/**
 * Referenced bytes in a cache: what was fetched once, and is what was recorded, is a file by content like any other. The
 * ledger remembers which content a reference turned out to be; a record that says nothing of the bytes is asked for anew.
 */
import { join } from 'node:path'
import { ArtifactsError, damaged } from '../../errors.ts'
import type {
  Entry,
  EntryPath,
  FileEntry,
  ObjectId,
  Reference,
  ReferenceEntry,
} from '../../types.ts'
import type { ReferencesAtHand } from '../checkout/references.ts'
import type { Staging } from '../checkout/staging.ts'
import { temporaryName } from '../layout.ts'
import { canonicalJson } from '../log/canonical.ts'
import type { OpenedStore } from '../opened.ts'
import { linkContent, noteContent } from './contents.ts'
import { copyKey, removeCopyTree } from './copy.ts'
import type { Ledger } from './ledger.ts'
import { type CacheOptions, openLedger } from './local-copy.ts'

/** Referenced files that are in the cache, and stay there until this is disposed of. */
export interface HeldReferences extends Disposable {
  /** The entry as the file that it leads to; others as they are. */
  readonly asFile: (entry: Entry) => Entry
  /** Tells copies apart whose record is the same although their bytes are not. */
  readonly key: readonly string[]
}

/** Fetches references aside, each checked. */
export type FetchAside = (
  entries: readonly ReferenceEntry[],
  staging: Staging,
) => Promise<ReferencesAtHand>

export async function holdReferences(
  store: OpenedStore,
  cache: CacheOptions,
  references: readonly ReferenceEntry[],
  fetch: FetchAside,
): Promise<HeldReferences> {
  using ledger = openLedger(store, cache)
  const staging = stagingIn(store, ledger)
  try {
    const files = new Map<EntryPath, FileEntry>()
    const wanted = references.filter((entry) => {
      const file = heldBefore(store, ledger, entry, staging)
      if (file !== undefined) files.set(entry.path, file)
      return file === undefined
    })
    if (wanted.length > 0) {
      const atHand = await fetch(wanted, staging)
      for (const entry of wanted) {
        files.set(entry.path, keepFetched(store, ledger, entry, atHand))
      }
    }
    return {
      asFile: (entry) => (entry.kind === 'reference' ? (files.get(entry.path) ?? entry) : entry),
      key: references.flatMap((entry) => {
        const content = files.get(entry.path)?.content
        return isTelling(entry.reference) || content?.kind !== 'chunk' ? [] : [content.id]
      }),
      [Symbol.dispose]: () => staging[Symbol.dispose](),
    }
  } catch (error) {
    staging[Symbol.dispose]()
    throw error
  }
}

/** A link to it keeps the content from going before it is in a copy. */
function heldBefore(
  store: OpenedStore,
  ledger: Ledger,
  entry: ReferenceEntry,
  staging: Staging,
): FileEntry | undefined {
  if (!isTelling(entry.reference)) return undefined
  const known = ledger.fetched(keyOf(entry.reference))
  if (known === undefined) return undefined
  const file = fileOf(entry.path, known)
  return linkContent(store, ledger, file, staging.nextName()) ? file : undefined
}

function keepFetched(
  store: OpenedStore,
  ledger: Ledger,
  { path, reference }: ReferenceEntry,
  atHand: ReferencesAtHand,
): FileEntry {
  const fetched = atHand.get(path)
  if (fetched === undefined || fetched === 'there') throw damaged(`"${path}" was not fetched.`)
  const file = fileOf(path, { sha256: fetched.sha256, bytes: fetched.size })
  store.io.chmod(fetched.file, 0o444)
  ledger.write(() => {
    if (!noteContent(store, ledger, file, fetched.file)) throw noLinks(ledger)
    ledger.setFetched(keyOf(reference), { sha256: fetched.sha256, bytes: fetched.size })
  })
  return file
}

function noLinks({ layout }: Ledger): ArtifactsError {
  return new ArtifactsError(
    'ERR_UNSUPPORTED',
    `In "${layout.root}", files can't have two names, so there is no place for fetched bytes.`,
    {
      hint: 'Set another folder for copies (`artifacts config set cache.dir DIR`), or use `artifacts download`.',
    },
  )
}

function fileOf(
  path: EntryPath,
  { sha256, bytes }: { readonly sha256: string; readonly bytes: number },
): FileEntry {
  const content = { kind: 'chunk' as const, id: sha256 as ObjectId }
  return { kind: 'file', path, executable: false, size: bytes, content }
}

/** Whether what is recorded can tell other bytes from these. */
function isTelling({ digest, resolved }: Reference): boolean {
  return resolved && digest.algo !== 'uri'
}

function keyOf(reference: Reference): string {
  return copyKey('reference', canonicalJson(reference))
}

function stagingIn({ io }: OpenedStore, { layout }: Ledger): Staging {
  const path = join(layout.tmp, temporaryName())
  io.mkdir(path)
  let names = 0
  return {
    path,
    nextName: () => join(path, String(names++)),
    [Symbol.dispose]: () => void removeCopyTree(io, path),
  }
}
