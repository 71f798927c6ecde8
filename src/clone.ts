/** Makes a store that has what a remote has, and calls that remote `origin`. */
import { existsSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { ArtifactsError } from './errors.ts'
import { createIo } from './store/io/io.ts'
import { layoutOf } from './store/layout.ts'
import { pathOfAddress, remoteAddress } from './store/remote-address.ts'
import type { Store } from './store.ts'
import { readIdentity } from './sync/log/remote-log.ts'
import { openAddress } from './sync/remotes.ts'
import type { PullOptions, TransferReport } from './transfers.ts'

export interface CloneOptions extends Omit<PullOptions, 'remote'> {
  /** The folder in which `.artifacts` is made; default: the last part of the address, in the current folder. */
  readonly dir?: string
  /** What is taken; default: everything. */
  readonly refs?: readonly string[]
  /** What relative paths are relative to. */
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly onNotice?: (text: string) => void
}

export interface CloneReport extends TransferReport {
  /** Absolute path of `.artifacts`. */
  readonly store: string
  /** False: the store was there, and what it lacked was pulled. */
  readonly created: boolean
}

/**
 * A clone that was cut goes on when it is asked for again: the store that it made has the remote.
 * @throws ArtifactsError ERR_NOT_FOUND where nothing lies, ERR_EXISTS for a store of another origin; else as a pull
 */
export async function cloneStore(
  { init, open }: Pick<typeof Store, 'init' | 'open'>,
  address: string,
  options: CloneOptions = {},
): Promise<CloneReport> {
  const { cwd = process.cwd(), env = {}, refs = [], onNotice, signal } = options
  const url = remoteAddress(address, cwd)
  const workspace = resolve(cwd, options.dir ?? nameOf(url))
  const root = layoutOf(join(workspace, '.artifacts')).root
  const isThere = existsSync(root)
  // A typing error makes no store.
  if (!isThere) await checkThere(url, env, signal)
  const { store } = await init(workspace)
  store.close()
  await using clone = await open({ store: root, env, ...(onNotice && { onNotice }) })
  if (isThere) await refuseOther(clone, url)
  clone.settings.set(`remote.${ORIGIN}.url`, url)
  if (clone.settings.get('primary') === '') clone.settings.set('primary', ORIGIN)
  const report = await clone.pull(refs, { ...options, remote: ORIGIN })
  return { ...report, store: root, created: !isThere }
}

const ORIGIN = 'origin'

async function checkThere(
  url: string,
  env: NonNullable<CloneOptions['env']>,
  signal: AbortSignal | undefined,
): Promise<void> {
  await using backend = await openAddress(url, { env, io: createIo({ durability: 'process' }) })
  if ((await readIdentity(backend, { signal })) !== undefined) return
  throw new ArtifactsError('ERR_NOT_FOUND', `There is no store at "${url}".`, {
    hint: 'Check the address. Whoever has something to share pushes first: `artifacts push`.',
  })
}

/** A store that is there must be one that an earlier clone of this address began. */
async function refuseOther(store: Store, url: string): Promise<void> {
  const origin = (await store.remotes.list()).find(({ name }) => name === ORIGIN)
  const isNew = origin === undefined && store.artifacts().length === 0
  if (origin?.url === url || isNew) return
  throw new ArtifactsError('ERR_EXISTS', `"${store.root}" is a store of its own.`, {
    hint: `Clone into another folder, or add the remote to it: \`artifacts remote add NAME ${url}\`.`,
  })
}

/** `bikes` for `s3://bucket/bikes`, `/media/usb/bikes.tar`, `/data/bikes/.artifacts`. */
function nameOf(url: string): string {
  const path = pathOfAddress(url) ?? new URL(url).pathname
  const parts = path.split('/').filter((part) => part !== '' && part !== '.artifacts')
  const last = parts.at(-1) ?? /^[a-z0-9]+:\/\/([^/:]+)/.exec(url)?.[1] ?? 'clone'
  return basename(last, '.tar')
}
