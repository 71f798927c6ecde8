/** References as a program uses them: from a URI to entries, and from an entry to its bytes. */
import { processVariables } from './environment.ts'
import type { Session } from './session.ts'
import type { Network, Variables } from './sync/net/network.ts'
import type { ReferenceContext } from './sync/references/kind.ts'
import type { FoundEntry } from './sync/references/resolve.ts'
import type { OperationOptions, Reference } from './types.ts'

export interface ReferenceOptions extends OperationOptions {
  /** The path of one thing, with `/` at the end the folder it goes into; of many, their folder. */
  readonly as?: string
  /** False: only the URI is recorded, and a change is noticed only by it. Default true. */
  readonly checksum?: boolean
  /** More objects than this are an error. Default 10,000 in buckets, no limit elsewhere. */
  readonly maxObjects?: number
  /** Asks nobody: what is on a network is recorded as unresolved. Default: the variable `ARTIFACTS_OFFLINE`. */
  readonly offline?: boolean
  /** gitignore patterns, for trees of files. */
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  /** Record signed URLs and URLs with a password as they are. */
  readonly allowSecrets?: boolean
}

/**
 * The entries that refer to what is at `uri`, in ascending order of their paths: one for a thing, one for each thing
 * below a folder or prefix. They can be added to a version as they are. Without a session, for a draft that knows no store.
 * @throws ArtifactsError ERR_NOT_FOUND, ERR_USAGE, ERR_INVALID_PATH, ERR_SECRETS, ERR_REMOTE_UNREACHABLE (without any
 * network the entry is unresolved instead), ERR_REMOTE_DENIED.
 */
export async function resolveReference(
  session: Session | undefined,
  uri: string | URL,
  options: ReferenceOptions & { readonly named?: boolean } = {},
): Promise<readonly FoundEntry[]> {
  const { resolveUri } = await import('./sync/references/resolve.ts')
  const { as, maxObjects, checksum = true, include = [], exclude = [] } = options
  const { offline = isSet(variablesOf(session)['ARTIFACTS_OFFLINE']) } = options
  const { named = false, allowSecrets = false } = options
  const placing = { as, maxObjects, checksum, include, exclude, offline, named, allowSecrets }
  return withReferences(session, options, async (context) => {
    // Whoever names a URI means its host, wherever that is.
    const host = URL.canParse(String(uri)) ? new URL(String(uri)) : undefined
    if (host?.protocol === 'http:' || host?.protocol === 'https:') context.network.trust(host)
    return resolveUri(String(uri), { ...context, ...placing })
  })
}

/**
 * The bytes that a reference leads to, compared with what was recorded; who takes them must throw them away when this
 * fails at the end.
 * @throws ArtifactsError ERR_REMOTE_CHANGED, ERR_NOT_FOUND, ERR_REMOTE_UNREACHABLE, ERR_REMOTE_DENIED, ERR_UNSUPPORTED.
 */
export async function* readReference(
  session: Session | undefined,
  reference: Reference,
  options: OperationOptions = {},
): AsyncGenerator<Uint8Array> {
  const { referenceBytes } = await import('./sync/references/read.ts')
  using network: Network = await networkOf(session)
  yield* referenceBytes(reference, contextOf(session, network, options))
}

/** Runs `work` with all that references need; connections are closed after it. */
export async function withReferences<T>(
  session: Session | undefined,
  options: OperationOptions,
  work: (context: ReferenceContext) => Promise<T>,
): Promise<T> {
  using network: Network = await networkOf(session)
  return await work(contextOf(session, network, options))
}

async function networkOf(session: Session | undefined): Promise<Network> {
  const { Network } = await import('./sync/net/network.ts')
  const hosts = session?.opened.settings.get('references.hosts') ?? ''
  return new Network({ trusted: hosts.split(',').filter(Boolean), env: variablesOf(session) })
}

function contextOf(
  session: Session | undefined,
  network: Network,
  { signal, onProgress }: OperationOptions,
): ReferenceContext {
  const home = session && { ...session, store: session.opened }
  return { network, env: variablesOf(session), home, signal, onProgress }
}

/** A draft that knows no store has the variables of the process. */
function variablesOf(session: Session | undefined): Variables {
  return session?.env ?? processVariables()
}

/** True for what has a scheme with `://`; what has another form is taken for a path. */
export function isUri(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
}

/** What a thing is called by its URI alone; empty where it has no name. */
export async function referenceName(uri: string): Promise<string> {
  const { kindOf } = await import('./sync/references/kinds.ts')
  return kindOf(uri).nameOf(uri)
}

function isSet(variable: string | undefined): boolean {
  return variable !== undefined && variable !== '' && variable !== '0'
}
