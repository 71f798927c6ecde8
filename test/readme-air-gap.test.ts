/** Runs the walk across an air gap that README.md shows: two folders stand for two machines, a third for the drive. */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { seededRandom } from './support/random.ts'
import { temporaryDirectory } from './support/temp.ts'

const test = suite('README.md, air gap')
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const BIN = fileURLToPath(new URL('../src/cli/bin.js', import.meta.url))
const STEP = '@@@ step'

test('every command across the air gap prints what it shows, and nobody needs a network', async () => {
  await using dir = await temporaryDirectory()
  const [home, lab, drive, tools] = ['home', 'lab', 'usb', 'tools'].map((name) => {
    mkdirSync(join(dir.path, name))
    return join(dir.path, name)
  }) as [string, string, string, string]
  const own = (text: string): string =>
    text.replaceAll('/srv/lab', lab).replaceAll('/media/usb', drive)
  const steps = walk().map(([command, ...lines]) => [own(command ?? ''), ...lines.map(own)])
  assert.ok(steps.length > 12)

  program(tools, 'artifacts', `exec '${process.execPath}' '${BIN}' "$@"`)
  // The build that is tested is packed; npm would make it anew.
  const pack = `exec '${process.execPath}' '${join(ROOT, 'scripts/pack-offline.mjs')}' "$4"`
  program(tools, 'npm', pack)
  const run = bash({ home, tools, cwd: ROOT })
  workspace(home, run)

  const printed = run(steps.map(([command = '']) => `echo '${STEP}'\n${command}`).join('\n'))
  const outputs = printed.split(`${STEP}\n`).slice(1)
  assert.is(outputs.length, steps.length, printed)
  for (const [index, [command, ...expected]] of steps.entries()) {
    const lines = (outputs[index] as string).split('\n').map((line) => line.trim())
    for (const line of expected) {
      const parts = line.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      const pattern = new RegExp(`^${parts.join('.*').replace(/ +/g, ' +')}$`)
      assert.ok(
        lines.some((each) => pattern.test(each)),
        `"${command}" prints "${line}", not:\n${lines.join('\n')}`,
      )
    }
  }
  assert.ok(statSync(join(drive, 'next.tar')).size < 40_000)
  assert.equal(
    readFileSync(join(lab, 'data/photo.raw')),
    readFileSync(join(home, 'work/data/photo.raw')),
  )
})

test.run()

/** The commands of the section, each with the lines that it is to print. */
function walk(): string[][] {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const [, section = ''] = /^## Across an air gap\n(.*?)^## /ms.exec(readme) ?? []
  const blocks = Array.from(section.matchAll(/^```console\n(.*?)^```/gms), ([, text = '']) => text)
  const steps = blocks.join('').split(/^\$ /m).slice(1)
  return steps.map((step) => step.trimEnd().split('\n'))
}

/** Two versions, too large for two volumes. */
function workspace(home: string, run: (script: string) => string): void {
  const data = join(home, 'work/data')
  mkdirSync(data, { recursive: true })
  writeFileSync(join(data, 'bikes.csv'), 'id,color\n1,red\n2,green\n')
  writeFileSync(join(data, 'photo.raw'), seededRandom(1).bytes(2_200_000))
  run('cd ~/work && artifacts init && artifacts commit data -n bike -t dataset')
  writeFileSync(join(data, 'bikes.csv'), 'id,color\n1,red\n2,green\n3,blue\n')
  run('cd ~/work && artifacts commit')
}

function program(folder: string, name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`)
  chmodSync(join(folder, name), 0o755)
}

/** Runs a script, with no network where the system can do that, and returns all that it prints. */
function bash({ home, tools, cwd }: { home: string; tools: string; cwd: string }) {
  const isolated = spawnSync('unshare', ['-rn', 'true']).status === 0
  const node = join(process.execPath, '..')
  const env = { PATH: `${tools}:${node}:${process.env['PATH']}`, HOME: home }
  return (script: string): string => {
    const words = isolated ? ['unshare', '-rn', 'bash'] : ['bash']
    const [first = '', ...others] = [...words, '-ec', `exec 2>&1\n${script}`]
    const { status, stdout } = spawnSync(first, others, { cwd, env, encoding: 'utf8' })
    assert.is(status, 0, stdout)
    return stdout
  }
}
