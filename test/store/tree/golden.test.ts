import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkPath } from '../../../src/store/tree/paths.ts'
import type { Entry } from '../../../src/types.ts'
import { plainTree } from './plain-tree.ts'
import { arrange, bigFile, directory, file, Nodes, reference, symlink } from './trees.ts'

interface Golden {
  readonly root: string
  readonly files: number
  readonly bytes: number
  readonly nodes: number
  /** The bytes of the root node, where they are few. */
  readonly node?: string
}

const test = suite('golden trees')
const golden: Record<string, Golden> = JSON.parse(
  readFileSync('test/golden/tree/trees.json', 'utf8'),
)

const folders = [
  'data/train',
  'data/test',
  'models',
  'e\u0301/\u00e9',
  '\u{1f4be}',
  '\uffee',
  'a.b',
]

/** Entry `i` of the large tree: its folder, its kind and its size follow from its number. */
function numbered(i: number): Entry {
  const path = checkPath(`${folders[i % 7]}/${Math.floor(i / 100)}/item-${i}`)
  const kind = i % 10
  if (kind < 3) {
    const bytes = new Uint8Array(i % 65).map((_, j) => (i + j) % 256)
    const content = { kind: 'inline', bytes } as const
    return { kind: 'file', path, executable: i % 4 === 0, size: bytes.length, content }
  }
  if (kind < 6) {
    return { ...bigFile(path, 65 + ((i * 8713) % 262_080), `chunk ${i}`), executable: i % 4 === 0 }
  }
  if (kind === 6) return bigFile(path, 262_145 + i * 1_000_003, `recipe ${i}`)
  if (kind === 7) return symlink(path, `../${i}/\u00e9`)
  if (kind === 8) return directory(path)
  const { reference: remote } = reference(path, `s3://bucket/key-${i}`)
  return { kind: 'reference', path, reference: i % 20 === 9 ? { ...remote, size: i } : remote }
}

/** At `n-…` ends a leaf, at `n.…` a node of level 1 too. */
const endings = '0 1-9q 1.2s3t 2 2-85 2.1xgh 3 3-n8 3.7mc5 4 4.7dnv 5'.split(' ')

const trees: Record<string, Entry[]> = {
  empty: [],
  'all kinds': [
    directory('a'),
    file('b', ''),
    file('b.txt', 'hello\n', true),
    { ...bigFile('c/1', 65, 'one'), executable: true },
    bigFile('c/10', 262_145, 'ten'),
    reference('c/2', 's3://bucket/key'),
    symlink('\u00e9', 'b.txt'),
    file('\u{10000}', 'x'),
  ],
  'three thousand': arrange(Array.from({ length: 3000 }, (_, i) => numbered(i))),
  'three levels': endings.map((path, i) => symlink(path, `${i}`)),
  'forced ends': arrange(
    Array.from({ length: 600 }, (_, i) => symlink(`${i % 2}/${i}`, `${i} `.repeat(200))),
  ),
}

for (const [name, entries] of Object.entries(trees)) {
  test(`the tree "${name}" has the root that it always had`, () => {
    const nodes = new Nodes()
    const { root, files, bytes, nodes: count } = nodes.build(entries)
    const { node, ...expected } = golden[name] as Golden
    assert.equal({ root, files, bytes, nodes: count }, expected)
    assert.is(plainTree(entries).root, root)
    if (node !== undefined) assert.is(Buffer.from(nodes.read(root)).toString('hex'), node)
  })
}

test.run()
