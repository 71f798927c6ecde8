/** Many small commits: none costs more than the others, and few files stay. */
import { lstatSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { makeDirectory, openIn, packFiles, workspace } from './workspace.ts'

const test = suite('many commits')

const isFull = process.env['ARTIFACTS_TEST_FULL'] === '1'
const COMMITS = isFull ? 10_000 : 400

test(`${COMMITS} commits of one file leave few packs, and cost the same each`, async () => {
  await using space = await workspace()
  const { path, layout } = space
  const dir = makeDirectory(join(path, 'data'))
  const times: number[] = []
  using store = await openIn(path)
  store.settings.set('durability', 'process')
  for (let n = 0; n < COMMITS; n++) {
    writeFileSync(join(dir, 'measured.txt'), `${n} was measured at station ${n * 7}\n`.repeat(10))
    const start = process.cpuUsage()
    await store.commit([dir], { name: 'bike', jobs: 0 })
    const { user, system } = process.cpuUsage(start)
    times.push((user + system) / 1000)
    assert.ok(packFiles(layout).length <= 70 + n / 300)
  }
  const mean = (from: number, to: number): number =>
    times.slice(from, to).reduce((sum, time) => sum + time, 0) / (to - from)
  const early = mean(66, 196)
  const late = mean(COMMITS - 130, COMMITS)
  await store.gc({ grace: '0' })
  // The names of operations stay, as links to a few empty files.
  const files = new Set(
    readdirSync(layout.root, { recursive: true, encoding: 'utf8' })
      .map((name) => lstatSync(join(layout.root, name)))
      .filter((stat) => stat.isFile())
      .map(({ ino }) => ino),
  ).size
  process.stdout.write(
    `\nnote: ${early.toFixed(1)} ms a commit at first, ${late.toFixed(1)} ms in the end; ${packFiles(layout).length} packs, ${files} files\n`,
  )
  assert.ok(late < early * (isFull ? 1.5 : 2.5), `${early} ms became ${late} ms`)
  assert.ok(packFiles(layout).length < 66 + COMMITS / 300)
  if (isFull) assert.ok(files < 3000, `${files} files`)
  const report = await store.verify('bike:v7')
  assert.ok(report.ok)
})

test.run()
