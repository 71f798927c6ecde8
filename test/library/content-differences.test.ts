import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ChangeWithContents, diffAsMarkdown, Store } from '../../src/index.ts'
import { temporaryDirectory } from '../support/temp.ts'

const test = suite('contents of a diff')

const BEFORE = {
  'a.txt': 'one\ntwo\n',
  'b.json': '{"x":1}',
  'c.csv': 'id,v\n1,a\n2,b\n',
  'gone.txt': 'g',
}
const AFTER = {
  'a.txt': 'one\n2\n',
  'b.json': '{"x":2}',
  'c.csv': 'id,v\n1,a\n2,c\n',
  'new.txt': 'n',
}

function write(dir: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(dir, { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
}

async function all(changes: AsyncIterable<ChangeWithContents>): Promise<ChangeWithContents[]> {
  const found: ChangeWithContents[] = []
  for await (const change of changes) found.push(change)
  return found
}

test('a version and a version, a version and a directory, and the other way round', async () => {
  await using directory = await temporaryDirectory()
  const { path } = directory
  const { store } = await Store.init(path)
  const [a, b] = [join(path, 'a'), join(path, 'b')]
  write(a, BEFORE)
  write(b, AFTER)
  await store.commit([a], { name: 'x', jobs: 0 })
  await store.commit([b], { name: 'x', jobs: 0 })
  const ways = [
    [{ ref: 'x:v0' }, { ref: 'x:v1' }],
    [{ ref: 'x:v0' }, { dir: b }],
    [{ dir: a }, { ref: 'x:v1' }],
    [{ dir: a }, { dir: b }],
  ] as const
  for (const [from, to] of ways) {
    const diff = await store.diff(from, to)
    const changes = await all(diff.contents({ keys: ['id'] }))
    assert.equal(
      changes.map(({ path, contents }) => `${path} ${contents?.kind}`),
      ['a.txt text', 'b.json values', 'c.csv table', 'gone.txt undefined', 'new.txt undefined'],
    )
    const table = changes[2]?.contents
    assert.equal(table?.kind === 'table' && table.changes, [
      { kind: 'changed', count: 1, key: { id: '2' }, before: { v: 'b' }, after: { v: 'c' } },
    ])
    assert.is('contents' in JSON.parse(JSON.stringify(diff)), false)
    assert.is('contents' in { ...diff }, false)
  }
  assert.equal(readdirSync(join(store.root, 'tmp')), [])
  store.close()
})

test('nothing in names or contents is markup in Markdown', async () => {
  await using directory = await temporaryDirectory()
  const { path } = directory
  const { store } = await Store.init(path)
  const name = '`<b>|*x*`.csv'
  const dir = join(path, 'data')
  write(dir, { [name]: 'id,v\n1,a\n', 'n.md': '```\na\n' })
  await store.commit([dir], { name: 'x', jobs: 0 })
  write(dir, { [name]: 'id,v\n1,"</details>|`` <img>\n"\n', 'n.md': '```\n````b\n' })
  await store.commit([dir], { name: 'x', jobs: 0 })
  const diff = await store.diff({ ref: 'x:v0' }, { ref: 'x:v1' })
  let text = ''
  for await (const piece of diffAsMarkdown(diff, diff.contents())) text += piece
  const outside = text
    .replace(/(`{3,})diff\n[\s\S]*?\n\1\n/g, '')
    .replace(/(?<!`)(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)/g, '')
    .replaceAll(/<\/?(details|summary)>/g, '')
  assert.not.match(outside, /<|\*x/)
  assert.match(text, '`````diff\n')
  assert.match(text, '<summary>&#96;&#60;b&#62;&#124;&#42;x&#42;&#96;.csv: 1 row added')
  const rows = text.split('\n').filter((line) => /^\| [-+~] \|/.test(line))
  assert.equal(
    rows.map((line) => line.replaceAll('\\|', '').split('|').length),
    [6, 6],
  )
  store.close()
})

test.run()
