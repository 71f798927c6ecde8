/** A disk that is full for real: a small file system in memory, mounted for a child alone. */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { temporaryDirectory } from '../../support/temp.ts'

const test = suite('a full disk')

const SCRIPT = join(import.meta.dirname, 'full-disk-child.js')

/** Runs a command with 8 MB mounted at a path, in a mount namespace that ends with it. */
function withSmallDisk(path: string, ...command: readonly string[]) {
  const script = 'mount -t tmpfs -o size=8m none "$0" && exec "$@"'
  return spawnSync('unshare', ['--mount', 'sh', '-c', script, path, ...command], {
    encoding: 'utf8',
  })
}

const SCENARIOS: Readonly<Record<string, string>> = {
  commitTooMuch: 'a commit that does not fit fails, and the store is as it was',
  commitOnTheBrim: 'wherever in a small commit the disk is full, it is there whole or not at all',
  checkOutTooMuch: 'a checkout that does not fit fails, and each file is the old or the new one',
  readFromFullDisk: 'a store on a full disk can be read, also when its index is damaged',
}

await using probe = await temporaryDirectory()
const canMount = withSmallDisk(probe.path, 'true').status === 0
if (!canMount) process.stdout.write('note: nothing can be mounted here, so no disk was full\n')

for (const [scenario, title] of Object.entries(SCENARIOS)) {
  const run = async () => {
    await using directory = await temporaryDirectory()
    const [small, roomy] = ['small', 'roomy'].map((name) => join(directory.path, name))
    for (const path of [small, roomy]) mkdirSync(path as string)
    const { status, stdout, stderr } = withSmallDisk(
      small as string,
      process.execPath,
      '--enable-source-maps',
      SCRIPT,
      scenario,
      small as string,
      roomy as string,
    )
    assert.is(status, 0, stderr)
    assert.is(stdout, `${scenario} done`)
  }
  if (canMount) test(title, run)
  else test.skip(title, run)
}

test.run()
