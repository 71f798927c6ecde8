/** What a directory adds to a draft: the files that a commit of it would store, looked at one by one. */

import { realpathSync } from 'node:fs'
import type { AddDirOptions } from './artifact.ts'
import type { DraftContents } from './draft-contents.ts'
import type { SeenFile } from './draft-files.ts'
import type { Drafted } from './draft-tree.ts'
import { ArtifactsError } from './errors.ts'
import { pathAt, statAt, type WalkBatch, WalkKind } from './store/workspace/batch.ts'
import type { Findings } from './store/workspace/findings.ts'
import { walk } from './store/workspace/walk.ts'
import type { EntryPath } from './types.ts'

/** @throws ArtifactsError ERR_UNREADABLE, ERR_INVALID_PATH, ERR_FILE_CHANGED: then nothing of it is added. */
export async function walkDraft(
  contents: DraftContents,
  dir: string,
  prefix: string,
  { include = [], exclude = [], signal }: AddDirOptions,
): Promise<readonly Drafted[]> {
  const all: Drafted[] = []
  const root = realpathSync.native(dir)
  const batches = walk(dir, { include, exclude })
  for (const batch of batches) {
    signal?.throwIfAborted()
    for (let index = 0; index < batch.length; index++) {
      const inside = pathAt(batch, index)
      const path = (prefix === '' ? inside : `${prefix}/${inside}`) as EntryPath
      const local = `${dir}/${inside}`
      switch (batch.kinds[index]) {
        case WalkKind.file:
          all.push({
            kind: 'local',
            path,
            localPath: local,
            ...(settled(contents, batch, index, `${root}/${inside}`) ??
              (await contents.see(`${root}/${inside}`))),
          })
          break
        case WalkKind.symlink: {
          const target = batch.targets.get(index) as string
          all.push({ kind: 'entry', path, entry: { kind: 'symlink', path, target } })
          break
        }
        default:
          all.push({ kind: 'entry', path, entry: { kind: 'directory', path } })
      }
    }
    // Lets others run, and Ctrl-C in.
    await new Promise((resolve) => setImmediate(resolve))
  }
  judge(batches.findings, dir)
  contents.skipped.push(...batches.findings.skipped.named)
  return all
}

/** Most files were written long before: then the walk has seen enough of them. */
function settled(
  { captures }: DraftContents,
  batch: WalkBatch,
  index: number,
  file: string,
): { readonly seen: SeenFile; readonly staged: false } | undefined {
  const stat = statAt(batch, index)
  if (captures || Math.max(stat.mtimeMs, stat.ctimeMs) > Date.now() - LONG_AGO_MS) return undefined
  const executable = batch.executables[index] === 1
  return { seen: { file, stat, device: batch.device, executable }, staged: false }
}

/** Longer than a tick of any clock that stamps files. */
const LONG_AGO_MS = 3000

function judge({ refused, unreadable }: Findings, dir: string): void {
  if (refused.count > 0) {
    throw new ArtifactsError('ERR_INVALID_PATH', `No version can hold ${listed(refused)}`, {
      hint: 'Rename them, or leave them out with `exclude` or `.artifactsignore`.',
    })
  }
  if (unreadable.count > 0) {
    throw new ArtifactsError(
      'ERR_UNREADABLE',
      `In "${dir}", these can't be read: ${listed(unreadable)}`,
      {
        hint: 'Make them readable (`chmod u+rx`), or leave them out with `exclude`.',
      },
    )
  }
}

function listed({ named, count }: Findings['refused']): string {
  const lines = named.map(({ path, reason }) => `  "${path}": ${reason}`)
  if (count > named.length) lines.push(`  and ${count - named.length} more`)
  return `\n${lines.join('\n')}`
}
