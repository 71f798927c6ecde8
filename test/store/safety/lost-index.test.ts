/** Whatever happens to the index: the next command works, and says what it rebuilt. */
import {
  copyFileSync,
  linkSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Store } from '../../../src/index.ts'
import { readTree, shownTree } from '../../support/files.ts'
import { seededRandom } from '../../support/random.ts'
import { FIRST, twoVersions } from './two-versions.ts'
import { readAll, type Workspace } from './workspace.ts'

const test = suite('a lost index')

const noise = seededRandom(2)
const OTHER_NAME = 'index-0123456789abcdef.db'

function databaseOf({ root }: Workspace): string {
  return join(root, readFileSync(join(root, 'index'), 'utf8').trim())
}

function overwrite(path: string, change: (bytes: Buffer) => Uint8Array): void {
  writeFileSync(path, change(readFileSync(path)))
}

const DAMAGES: Readonly<Record<string, (workspace: Workspace) => unknown>> = {
  'the database is deleted': (workspace) => rmSync(databaseOf(workspace)),
  'the pointer is deleted': ({ root }) => rmSync(join(root, 'index')),
  'the pointer is empty': ({ root }) => writeFileSync(join(root, 'index'), ''),
  'the pointer is noise': ({ root }) => writeFileSync(join(root, 'index'), noise.bytes(30)),
  'the pointer names nothing': ({ root }) => writeFileSync(join(root, 'index'), `${OTHER_NAME}\n`),
  'the pointer leads outside': (workspace) => {
    const outside = join(workspace.path, OTHER_NAME)
    copyFileSync(databaseOf(workspace), outside)
    writeFileSync(join(workspace.root, 'index'), `../${OTHER_NAME}\n`)
  },
  'the database is empty': (workspace) => truncateSync(databaseOf(workspace), 0),
  'the database ends within a page': (workspace) => truncateSync(databaseOf(workspace), 5000),
  'the database ends after a page': (workspace) => truncateSync(databaseOf(workspace), 4096),
  'the database ends in the middle': (workspace) => {
    const pages = readFileSync(databaseOf(workspace)).length / 4096
    truncateSync(databaseOf(workspace), Math.floor(pages / 2) * 4096)
  },
  'the database is zeros': (workspace) =>
    overwrite(databaseOf(workspace), (bytes) => bytes.fill(0)),
  'the database is noise': (workspace) =>
    overwrite(databaseOf(workspace), ({ length }) => noise.bytes(length)),
  'the database is text': (workspace) =>
    writeFileSync(databaseOf(workspace), 'index\n'.repeat(2048)),
  'the header is noise': (workspace) =>
    overwrite(databaseOf(workspace), (bytes) =>
      Buffer.concat([noise.bytes(100), bytes.subarray(100)]),
    ),
  'pages behind the first are zeros': (workspace) =>
    overwrite(databaseOf(workspace), (bytes) => bytes.fill(0, 4096)),
  'pages behind the first are noise': (workspace) =>
    overwrite(databaseOf(workspace), (bytes) =>
      Buffer.concat([bytes.subarray(0, 4096), noise.bytes(bytes.length - 4096)]),
    ),
  "its bytes are another store's": async (workspace) => {
    await using other = await twoVersions()
    copyFileSync(databaseOf(other), databaseOf(workspace))
  },
  "it names another store's": async (workspace) => {
    await using other = await twoVersions()
    copyFileSync(databaseOf(other), join(workspace.root, OTHER_NAME))
    writeFileSync(join(workspace.root, 'index'), `${OTHER_NAME}\n`)
  },
  'it is a copy': (workspace) => {
    const bytes = readFileSync(databaseOf(workspace))
    writeFileSync(join(workspace.root, OTHER_NAME), bytes)
    writeFileSync(join(workspace.root, 'index'), `${OTHER_NAME}\n`)
  },
  'it was copied without its WAL while it was in use': async (workspace) => {
    const { database } = (await generations(workspace, 1))[0] as Generation
    const path = databaseOf(workspace)
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
    writeFileSync(join(workspace.root, OTHER_NAME), database)
    writeFileSync(join(workspace.root, 'index'), `${OTHER_NAME}\n`)
  },
}

const COMMANDS: Readonly<Record<string, (workspace: Workspace) => Promise<void>>> = {
  commit: async (workspace) => {
    writeFileSync(join(workspace.path, 'data/third'), 'third')
    const report = await workspace.run((store) => store.commit([join(workspace.path, 'data')]))
    assert.is(report.created, true)
  },
  ls: async (workspace) => {
    const paths = await workspace.run((store) =>
      [...store.entries('data:v0')].map(({ path }) => path),
    )
    assert.equal(paths, ['a.txt', 'old', 'sub/noise'])
  },
  checkout: async (workspace) => {
    await workspace.run((store) => store.checkout('data:v0', join(workspace.path, 'out')))
    assert.equal(readTree(join(workspace.path, 'out')), shownTree(FIRST))
  },
}

for (const [damage, inflict] of Object.entries(DAMAGES)) {
  test(`${damage}: the next command rebuilds it and says so once`, async () => {
    for (const [name, command] of Object.entries(COMMANDS)) {
      await using workspace = await twoVersions()
      assert.equal(workspace.takeNotices(), [])
      await inflict(workspace)
      await command(workspace)
      const said = workspace.takeNotices()
      assert.is(said.length, 1, `${name}: ${said.join()}`)
      assert.match(said[0] as string, /^Rebuilt the index from \d operations and \d packs: /, name)
      await workspace.run((store) => {
        assert.is(readAll(store, 'data:v0', 'a.txt').toString(), 'first')
        assert.is(readAll(store, 'data:v1', 'a.txt').toString(), 'second')
      })
      assert.equal(workspace.takeNotices(), [], name)
    }
  })
}

/** The files of the index at one moment. */
interface Generation {
  readonly database: Buffer
  readonly wal: Buffer
}

/** Commits and keeps what a process would leave that is killed after each commit; the last one leaves in order. */
async function generations(workspace: Workspace, commits: number): Promise<Generation[]> {
  const made: Generation[] = []
  const data = join(workspace.path, 'data')
  const path = databaseOf(workspace)
  for (let i = 0; i < commits; i++) {
    // Each commit begins with the WAL of a new age, since the one before has closed the store.
    using store = await Store.open({ store: workspace.root })
    for (let file = 0; file < 40; file++) {
      writeFileSync(join(data, `file-${file}`), `${i}, ${file}: ${'x'.repeat(100)}`)
    }
    await store.commit([data], { name: `artifact-${i % 2}` })
    made.push({ database: readFileSync(path), wal: readFileSync(`${path}-wal`) })
  }
  return made
}

function facts(store: Store): unknown {
  return [store.artifacts(), store.history()]
}

test('a WAL of another age beside the database changes no answer', async () => {
  await using workspace = await twoVersions()
  const ages = await generations(workspace, 6)
  const path = databaseOf(workspace)
  const pointer = readFileSync(join(workspace.root, 'index'))
  const newest = readFileSync(path)
  const expected = await workspace.run(facts)
  // The same file each time: it is told from copies of itself, and this must not be what helps.
  const kept = join(workspace.path, 'kept')
  linkSync(path, kept)
  let rebuilt = 0
  for (const [age, { wal }] of ages.entries()) {
    for (const name of readdirSync(workspace.root)) {
      if (/^index-.*\.db/.test(name)) rmSync(join(workspace.root, name))
    }
    linkSync(kept, path)
    writeFileSync(path, newest)
    writeFileSync(`${path}-wal`, wal)
    writeFileSync(join(workspace.root, 'index'), pointer)
    assert.equal(await workspace.run(facts), expected, `age ${age}`)
    await workspace.run((store) => {
      assert.is(readAll(store, 'data:v0', 'a.txt').toString(), 'first', `age ${age}`)
    })
    rebuilt += workspace.takeNotices().length
  }
  assert.ok(rebuilt > 0, 'some of them are a contradiction')
})

test.run()
