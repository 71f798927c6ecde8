/** A folder with a store and files, for tests that go through the whole program. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { run } from './call.ts'

/** Paths and contents. */
export type Files = Readonly<Record<string, string>>

/** Makes a workspace with a store and returns its path. */
export async function workspaceWith(files: Files = {}): Promise<string> {
  const cwd = mkdtempSync(join(tmpdir(), 'cli-'))
  write(cwd, files)
  await run(['init'], { cwd })
  return cwd
}

export function write(dir: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), content)
  }
}

/** Commits `data` as bike:v0, changes it and commits bike:v1: one file changed, one added, one removed, one renamed. */
export async function twoVersions(): Promise<string> {
  const cwd = await workspaceWith({
    'data/a.txt': 'one\n',
    'data/b.txt': 'b\n',
    'data/old.txt': 'a file that keeps its content while its name changes\n',
    'data/sub/c.txt': 'c\n',
  })
  await run(['commit', 'data', '-n', 'bike', '-t', 'dataset', '-a', 'good'], { cwd })
  write(cwd, { 'data/a.txt': 'one and two\n', 'data/new.txt': 'new\n' })
  rmSync(join(cwd, 'data/b.txt'))
  renameSync(join(cwd, 'data/old.txt'), join(cwd, 'data/renamed.txt'))
  await run(['commit'], { cwd })
  return cwd
}
