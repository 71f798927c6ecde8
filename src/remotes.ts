/** Remotes as a person manages them: names for places, and how it stands with those. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ArtifactsError } from './errors.ts'
import { checkRemote } from './names.ts'
import { refusalOf } from './read-only.ts'
import type { Session } from './session.ts'
import { remoteAddress } from './store/remote-address.ts'
import { type Findings, inspectRemote } from './sync/inspect-remote.ts'
import { tokenVariable } from './sync/net/credentials.ts'
import type { Verdict } from './sync/probe.ts'
import { forgetAddress, knownAddress } from './sync/remote-notes.ts'
import { isExposed, type Remote, remoteNamed, remotesOf } from './sync/remotes.ts'
import type { OperationOptions } from './types.ts'

export type { Verdict }

export interface RemoteSummary {
  readonly name: string
  /** Without anything secret. */
  readonly url: string
  /** Where commands go that name no remote, and what numbers versions. */
  readonly primary: boolean
  /** One machine alone writes to it, its owner says. */
  readonly singleWriter: boolean
  /** The id of the store that was seen there. */
  readonly store?: string
  /** What a probe found: does it keep its promise to make a file only where there is none? */
  readonly verdict?: Verdict
  /** ISO 8601, UTC. */
  readonly probedAt?: string
}

export interface RemoteCheck extends RemoteSummary, Partial<Omit<Findings, 'store' | 'verdict'>> {
  /** Whether a push to it is not refused from the start. */
  readonly canPush: boolean
  /** Whether somebody on the way can read the token or password that it is asked with. */
  readonly exposed: boolean
  /** Why nothing more could be found out. */
  readonly problem?: ArtifactsError
}

export interface AddedRemote extends RemoteCheck {
  /** False where it was there already, with this address. */
  readonly created: boolean
}

export interface AddRemoteOptions extends OperationOptions {
  readonly singleWriter?: boolean
  /** The absolute folder that relative paths start in; default: the current one. */
  readonly from?: string
}

/**
 * Names a remote, and has a look at it. One that is there already with this address stays as it is. That it can't be looked at is told in the answer and is no error: the first push
 * finds out.
 * @throws ArtifactsError ERR_INVALID_NAME, ERR_EXISTS, ERR_USAGE for an address that is none or holds a secret
 */
export async function addRemote(
  session: Session,
  name: string,
  address: string,
  { singleWriter = false, from = resolve('.'), ...operation }: AddRemoteOptions = {},
): Promise<AddedRemote> {
  const { opened } = session
  const url = remoteAddress(address, from)
  if (url === pathToFileURL(opened.layout.root).href) throw itself(url)
  const others = remotesOf(opened)
  const there = others.find((each) => each.name === name)
  const created = there?.url !== url
  if (created) refuseTaken(checkRemote(name), others)
  const isFirst = created && !others.some(({ isPrimary }) => isPrimary)
  const changes = {
    ...(created ? { [`remote.${name}.url`]: url } : {}),
    ...(singleWriter ? { [`remote.${name}.single-writer`]: 'true' } : {}),
    ...(isFirst ? { primary: name } : {}),
  }
  if (Object.keys(changes).length > 0) change(session, changes)
  return { created, ...(await checkRemoteNow(session, remoteNamed(opened, name), operation)) }
}

/** In the order in which they were added; asks nobody. */
export function listRemotes({ opened }: Session): readonly RemoteSummary[] {
  return remotesOf(opened).map((remote) => summaryOf(opened, remote))
}

/**
 * Forgets a remote; nothing happens to what lies there. Where it was the primary there is none then.
 * @throws ArtifactsError ERR_NOT_FOUND
 */
export function removeRemote(session: Session, name: string): RemoteSummary {
  const { opened } = session
  const remote = configured(session, name)
  const summary = summaryOf(opened, remote)
  change(session, {
    [`remote.${name}.url`]: undefined,
    [`remote.${name}.single-writer`]: undefined,
    ...(remote.isPrimary ? { primary: undefined } : {}),
  })
  // Under another name it may still be known.
  if (!remotesOf(opened).some(({ url }) => url === remote.url)) forgetAddress(opened, remote.url)
  return summary
}

/**
 * Finds out how it stands with a remote, or with all of them. What goes wrong with one is told in its place.
 * @throws ArtifactsError ERR_NOT_FOUND
 */
export async function checkRemotes(
  session: Session,
  name?: string,
  operation: OperationOptions = {},
): Promise<readonly RemoteCheck[]> {
  const remotes = name === undefined ? remotesOf(session.opened) : [configured(session, name)]
  const checks: RemoteCheck[] = []
  for (const remote of remotes) checks.push(await checkRemoteNow(session, remote, operation))
  return checks
}

async function checkRemoteNow(
  { opened, env }: Session,
  remote: Remote,
  { signal }: OperationOptions,
): Promise<RemoteCheck> {
  let findings: Partial<Findings> = {}
  let problem: ArtifactsError | undefined
  try {
    findings = await inspectRemote(opened, remote, { env, signal })
  } catch (error) {
    signal?.throwIfAborted()
    if (!(error instanceof ArtifactsError)) throw error
    problem = error
  }
  const { obstacle } = findings
  const summary = summaryOf(opened, remote)
  const isSafe = summary.verdict === 'atomic' || remote.isSingleWriter
  return {
    ...summary,
    ...findings,
    canPush: problem === undefined && obstacle === undefined && isSafe,
    exposed: problem?.code !== 'ERR_CONFIG' && isExposed(opened, remote, { env }),
    ...(problem === undefined ? {} : { problem }),
  }
}

function summaryOf(opened: Session['opened'], remote: Remote): RemoteSummary {
  const { name, url, isPrimary, isSingleWriter } = remote
  return {
    name,
    url,
    primary: isPrimary,
    singleWriter: isSingleWriter,
    ...knownAddress(opened, url),
  }
}

function configured({ opened }: Session, name: string): Remote {
  const remotes = remotesOf(opened)
  const found = remotes.find((remote) => remote.name === name)
  if (found !== undefined) return found
  throw new ArtifactsError('ERR_NOT_FOUND', `There is no remote "${name}".`, {
    hint:
      remotes.length === 0
        ? 'The store has none: `artifacts remote add origin URL`.'
        : `The store has ${remotes.map((each) => each.name).join(', ')}: run \`artifacts remote ls\`.`,
  })
}

function itself(url: string): ArtifactsError {
  return new ArtifactsError('ERR_USAGE', `"${url}" is this store itself.`, {
    hint: 'A remote lies elsewhere: name another folder.',
  })
}

/** Names must differ in what is left of them in the name of a variable, or one would be sent the other's token. */
function refuseTaken(name: string, remotes: readonly Remote[]): void {
  const taken = remotes.find((each) => tokenVariable(each.name) === tokenVariable(name))
  if (taken === undefined) return
  throw taken.name === name
    ? new ArtifactsError('ERR_EXISTS', `There is a remote "${name}" already: "${taken.url}".`, {
        hint: `Give it another address with \`artifacts config set remote.${name}.url URL\`, or remove it first: \`artifacts remote rm ${name}\`.`,
      })
    : new ArtifactsError('ERR_EXISTS', `"${name}" and the remote "${taken.name}" are too alike.`, {
        hint: `Both would take their token from \`${tokenVariable(name)}\`: choose another name.`,
      })
}

function change(session: Session, changes: Readonly<Record<string, string | undefined>>): void {
  const { opened } = session
  try {
    opened.settings = opened.settings.change(changes, opened.io)
  } catch (error) {
    throw refusalOf(session, error)
  }
}
