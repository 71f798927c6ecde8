/**
 * The seam between the store's file calls and the tests that make them fail.
 *
 * Every call of io.ts looks once at `interceptors`; while that is null (always, outside tests) nothing else happens.
 * Otherwise each interceptor sees the call before it is made, and again when it took effect or failed, in the order in
 * which they were added: something that records sees an effect before something that pretends to crash after it.
 *
 * Interceptors belong to the thread that added them. The order in which threads make their calls differs from run to
 * run, so "the n-th call" would mean nothing across them.
 */
export type CallKind =
  | 'open'
  | 'close'
  | 'write'
  | 'ftruncate'
  | 'fsync'
  | 'fdatasync'
  | 'fsyncDirectory'
  | 'rename'
  | 'link'
  | 'symlink'
  | 'unlink'
  | 'mkdir'
  | 'rmdir'
  | 'chmod'
  | 'fchmod'
  | 'utimes'

/** One call about to be made. What is not readonly may be changed before it is. */
export interface IoCall {
  readonly kind: CallKind
  /** The file it acts on; for `rename` and `link` the one that exists. */
  readonly path: string
  /** The new name, for `rename` and `link`. */
  readonly to?: string
  /** The open file, for calls that take one. */
  readonly fd?: number
  /** How a file is opened. */
  flags?: string | number
  /** Bytes to write; fewer makes a short write. */
  length?: number
}

export interface Interceptor {
  /** Throws to make the call fail without effect. */
  before?(call: IoCall): void
  /** Sees what the call returned. Throws to report a failure of a call that took effect. */
  after?(call: IoCall, result: unknown): void
  /** The call failed without effect, by itself or because `before` threw. */
  failed?(call: IoCall, error: unknown): void
}

export let interceptors: readonly Interceptor[] | null = null

/** Names of the files opened while somebody listened, to name them in calls that have only the number. */
const openFiles = new Map<number, string>()

/** Adds an interceptor to this thread's calls; returns the function that takes it away. */
export function intercept(interceptor: Interceptor): () => void {
  interceptors = [...(interceptors ?? []), interceptor]
  return () => {
    const rest = (interceptors ?? []).filter((other) => other !== interceptor)
    interceptors = rest.length === 0 ? null : rest
  }
}

/** The name under which a file was opened. */
export function nameOfFile(fd: number): string {
  return openFiles.get(fd) ?? `file ${fd}`
}

/** Makes a call under the eyes of the interceptors. */
export function intercepted<T>(
  listeners: readonly Interceptor[],
  call: IoCall,
  perform: (call: IoCall) => T,
): T {
  let result: T
  try {
    for (const listener of listeners) listener.before?.(call)
    result = perform(call)
  } catch (error) {
    for (const listener of listeners) listener.failed?.(call, error)
    throw error
  }
  succeeded(listeners, call, result)
  return result
}

/** `intercepted` for a call that ends later. */
export async function interceptedAsync<T>(
  listeners: readonly Interceptor[],
  call: IoCall,
  perform: (call: IoCall) => Promise<T>,
): Promise<T> {
  let result: T
  try {
    for (const listener of listeners) listener.before?.(call)
    result = await perform(call)
  } catch (error) {
    for (const listener of listeners) listener.failed?.(call, error)
    throw error
  }
  succeeded(listeners, call, result)
  return result
}

function succeeded(listeners: readonly Interceptor[], call: IoCall, result: unknown): void {
  if (call.kind === 'open') openFiles.set(result as number, call.path)
  for (const listener of listeners) listener.after?.(call, result)
  if (call.kind === 'close') openFiles.delete(call.fd as number)
}
