/** What git says of the directory that a run starts in. Without git, or outside of a repository, there is nothing to say. */
import { spawnSync } from 'node:child_process'
import type { RunSource } from '../index.ts'
import { size } from './render.ts'
import { UsageError } from './usage-error.ts'

const LONGEST_PATCH = 1_000_000

/** Commit, branch, remote and whether files differ; with `patch` how they differ, too. */
export function sourceOf(
  cwd: string,
  { patch }: { readonly patch: boolean },
): RunSource | undefined {
  const commit = git(cwd, 'rev-parse', 'HEAD')
  if (commit === undefined || !/^[0-9a-f]{40,64}$/.test(commit)) {
    if (patch) throw new UsageError('There is no commit of git here to take a patch against.')
    return undefined
  }
  const branch = git(cwd, 'symbolic-ref', '--quiet', '--short', 'HEAD')
  const remote = git(cwd, 'config', '--get', 'remote.origin.url')
  const dirty = git(cwd, 'status', '--porcelain', '--untracked-files=no') !== ''
  return {
    commit,
    ...(branch === undefined ? {} : { branch }),
    ...(remote === undefined ? {} : { remote: withoutPassword(remote) }),
    dirty,
    ...(patch && dirty ? { patch: patchOf(cwd) } : {}),
  }
}

function patchOf(cwd: string): string {
  const { status, stdout } = spawnSync('git', ['diff', '--binary', 'HEAD'], {
    cwd,
    maxBuffer: 1 << 30,
  })
  const text = new TextDecoder('utf-8', { fatal: false }).decode(stdout)
  if (status !== 0 || text.includes('\ufffd')) {
    throw new UsageError(
      'What differs from the commit is not text in UTF-8.',
      'Commit it first, or leave out `--with-patch`.',
    )
  }
  if (stdout.length <= LONGEST_PATCH) return text
  throw new UsageError(
    `What differs from the commit is ${size(stdout.length)}, more than a run can hold.`,
    'Commit it first, or leave out `--with-patch`.',
  )
}

/** The first line of what git answers; undefined where it fails. */
function git(cwd: string, ...args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync('git', args, { cwd, encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

/** A remote may be named with a password in it. */
function withoutPassword(remote: string): string {
  return remote.replace(/^([a-z+]+:\/\/)[^/@]*@/i, '$1')
}
