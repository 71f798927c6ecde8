/**
 * What a store remembers of the addresses it syncs with: which store lies there, and what a probe found
 * (docs/remote.md section 8). It stands in `remotes/<store id>/remote.json`; of addresses where nobody has seen a store yet, in
 * `remotes/new/remote.json`. All of it can be found out again: what can't be read is not known.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { ArtifactsError, isSystemError } from '../errors.ts'
import { type Layout, temporaryName } from '../store/layout.ts'
import { canonicalJson } from '../store/log/canonical.ts'
import type { Opened } from '../store/open.ts'
import type { Verdict } from './probe.ts'
import type { Remote } from './remotes.ts'

export interface KnownAddress {
  /** The id of the store that was seen there. */
  readonly store?: string
  readonly verdict?: Verdict
  /** ISO 8601, UTC. */
  readonly probedAt?: string
}

type Opening = Pick<Opened, 'io' | 'layout'>

const NEW = 'new'
const STORE_ID = /^[0-9a-f]{32}$/
const schema = v.object({
  addresses: v.record(
    v.string(),
    v.object({
      verdict: v.optional(v.picklist(['atomic', 'refuses', 'ignores', 'racy'])),
      probedAt: v.optional(v.pipe(v.string(), v.isoTimestamp())),
    }),
  ),
})
type Addresses = v.InferOutput<typeof schema>['addresses']

/** What is known of an address in its one form. */
export function knownAddress({ layout }: Pick<Opening, 'layout'>, url: string): KnownAddress {
  for (const folder of folders(layout)) {
    const addresses = read(layout, folder)
    const noted = Object.hasOwn(addresses, url) ? addresses[url] : undefined
    if (noted === undefined) continue
    const { verdict, probedAt } = noted
    return {
      ...(folder === NEW ? {} : { store: folder }),
      ...(verdict === undefined ? {} : { verdict }),
      ...(probedAt === undefined ? {} : { probedAt }),
    }
  }
  return {}
}

/** The addresses at which a store was seen. */
export function addressesOf({ layout }: Pick<Opening, 'layout'>, store: string): readonly string[] {
  return STORE_ID.test(store) ? Object.keys(read(layout, store)) : []
}

/**
 * Notes which store lies at a remote, as it is found or made there.
 * @throws ArtifactsError ERR_REMOTE_CHANGED when another one was there before
 */
export function noteStore(opened: Opening, { name, url, isConfigured }: Remote, id: string): void {
  const { store, ...facts } = knownAddress(opened, url)
  if (store === id) return
  if (store === undefined) {
    write(opened, id, { ...read(opened.layout, id), [url]: facts })
    forget(opened, url, id)
    return
  }
  throw new ArtifactsError(
    'ERR_REMOTE_CHANGED',
    `At "${url}" is another store than before: "${id}" instead of "${store}".`,
    {
      hint: isConfigured
        ? `If that is meant: \`artifacts remote rm ${name}\` and \`artifacts remote add ${name} ${url}\`.`
        : 'Ask who looks after it.',
    },
  )
}

/** Notes what a probe found. */
export function noteVerdict(opened: Opening, url: string, verdict: Verdict): void {
  const { store = NEW } = knownAddress(opened, url)
  const noted = { verdict, probedAt: new Date().toISOString() }
  write(opened, store, { ...read(opened.layout, store), [url]: noted })
}

/** Forgets an address. What was read of the log there stays. */
export function forgetAddress(opened: Opening, url: string): void {
  forget(opened, url)
}

function forget(opened: Opening, url: string, except?: string): void {
  for (const folder of folders(opened.layout)) {
    const { [url]: noted, ...others } = read(opened.layout, folder)
    if (noted !== undefined && folder !== except) write(opened, folder, others)
  }
}

/** Those of stores come first. */
function folders({ remotes }: Layout): string[] {
  try {
    return [...readdirSync(remotes).filter((name) => STORE_ID.test(name)), NEW]
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return []
    throw error
  }
}

function read(layout: Layout, folder: string): Addresses {
  let text: string
  try {
    text = readFileSync(join(layout.remotes, folder, 'remote.json'), 'utf8')
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return {}
    throw error
  }
  const parsed = v.safeParse(schema, parse(text))
  return parsed.success ? parsed.output.addresses : {}
}

function write({ io, layout }: Opening, folder: string, addresses: Addresses): void {
  const directory = join(layout.remotes, folder)
  const bytes = Buffer.from(`${canonicalJson({ addresses })}\n`)
  try {
    io.mkdir(directory, { recursive: true })
    io.writeFileAtomic(join(directory, 'remote.json'), bytes, {
      tmp: join(layout.tmp, temporaryName()),
      durable: true,
    })
  } catch (error) {
    // A store that can only be read finds it out each time.
    if (!isSystemError(error, 'EACCES', 'EPERM', 'EROFS')) throw error
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
