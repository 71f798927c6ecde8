/** Whether a remote may be written to (docs/remote.md section 3): it keeps its promise, or one machine alone writes to it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ArtifactsError } from '../errors.ts'
import type { Opened } from '../store/open.ts'
import { pathOfAddress } from '../store/remote-address.ts'
import type { Backend, RequestOptions } from './backend.ts'
import { probe, type Verdict } from './probe.ts'
import { knownAddress, noteVerdict } from './remote-notes.ts'
import type { Remote } from './remotes.ts'

/**
 * Returns where writing is safe. The first time it probes, later it knows: then nothing is asked.
 * @throws ArtifactsError ERR_UNSUPPORTED for a remote that breaks the promise, ERR_READ_ONLY, ERR_REMOTE_DENIED,
 * ERR_REMOTE_UNREACHABLE
 */
export async function checkMayPush(
  opened: Pick<Opened, 'io' | 'layout'>,
  remote: Remote,
  backend: Backend,
  options: RequestOptions = {},
): Promise<void> {
  if (isStore(remote)) throw storeItself(remote)
  if (remote.isSingleWriter) return
  let { verdict } = knownAddress(opened, remote.url)
  if (verdict === undefined) {
    verdict = (await probe(backend, options)).verdict
    noteVerdict(opened, remote.url, verdict)
  }
  if (verdict !== 'atomic') throw notAtomic(remote, verdict)
}

/** True for the directory of a store: nobody writes to it but its own program. */
export function isStore({ url }: Pick<Remote, 'url'>): boolean {
  const path = pathOfAddress(url)
  return path !== undefined && existsSync(join(path, 'index'))
}

/** What a remote does that breaks the promise, as a clause. */
export const BROKEN_PROMISES: Readonly<Record<Exclude<Verdict, 'atomic'>, string>> = {
  refuses: 'refuses to make a file only where there is none',
  ignores: 'overwrites a file although it was told to make it only where there is none',
  racy: 'looks first and writes then, so that of two who write at once both are told that they won',
}

function notAtomic(
  { name, url, isConfigured }: Remote,
  verdict: keyof typeof BROKEN_PROMISES,
): ArtifactsError {
  const message = `"${url}" ${BROKEN_PROMISES[verdict]} (${verdict}): two pushes at once could lose one of them.`
  return new ArtifactsError('ERR_UNSUPPORTED', message, {
    hint: isConfigured
      ? `Where one machine alone writes to it, say so: \`artifacts config set remote.${name}.single-writer true\`.`
      : `Where one machine alone writes to it, add it so: \`artifacts remote add NAME ${url} --single-writer\`.`,
    data: { verdict },
  })
}

function storeItself({ url }: Remote): ArtifactsError {
  return new ArtifactsError(
    'ERR_READ_ONLY',
    `"${url}" is a store that somebody works in, and can only be read as a remote.`,
    { hint: 'Push to a folder of its own, and pull from there.' },
  )
}
