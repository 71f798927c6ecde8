/** Random operations and crashes, against a list of what each name may stand for. */
import fs from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createIo } from '../../../src/store/io/io.ts'
import { chance, recordUnsynced } from '../../../src/store/io/power.ts'
import { writeTree } from '../../support/files.ts'
import { seededRandom } from '../../support/random.ts'
import { temporaryDirectory } from '../../support/temp.ts'

const test = suite('power, random')
const io = createIo({ durability: 'power' })

/**
 * The oracle: for each name the files it may stand for after a crash, by number; 0 for none. A
 * sync of its directory leaves the current one.
 */
interface Possible {
  current: number
  readonly after: Set<number>
}

const NAMES = ['d/a', 'd/b', 'e/a', 'e/b']
const step = fc.record({
  kind: fc.constantFrom('write', 'append', 'rename', 'link', 'unlink', 'fsync', 'syncDirectory'),
  name: fc.constantFrom(...NAMES),
  other: fc.constantFrom(...NAMES),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

test('what was synced survives, and a name never stands for what it never stood for', async () => {
  await using dir = await temporaryDirectory()
  const root = join(dir.path, 'root')
  let lost = 0
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), fc.nat(), (steps, seed) => {
      fs.rmSync(root, { recursive: true, force: true })
      writeTree(root, { d: null, e: null })
      using recording = recordUnsynced(root)
      const names = new Map<string, Possible>(
        NAMES.map((name) => [name, { current: 0, after: new Set([0]) }]),
      )
      /** Content by file, and whether it is durable. */
      const files: { content: string; synced: boolean }[] = [{ content: '', synced: true }]
      for (const each of steps) play(each, root, names, files)
      recording.losePower(chance(seededRandom(seed).next))

      for (const [name, possible] of names) {
        const path = join(root, name)
        const content = fs.existsSync(path) ? fs.readFileSync(path, 'utf8') : undefined
        const explained = [...possible.after].some((file) => {
          if (file === 0 || content === undefined) return file === 0 && content === undefined
          return !files[file]?.synced || files[file].content === content
        })
        assert.ok(explained, `"${name}" holds ${content}`)
        const { current } = possible
        if (content !== (current === 0 ? undefined : files[current]?.content)) lost++
      }
    }),
    { numRuns: 300 },
  )
  assert.ok(lost > 50, `only ${lost} names were lost or torn`)
})

function play(
  { kind, name, other }: Step,
  root: string,
  names: Map<string, Possible>,
  files: { content: string; synced: boolean }[],
): void {
  const at = (path: string): string => join(root, path)
  const [here, there] = [names.get(name) as Possible, names.get(other) as Possible]
  const stands = (possible: Possible, file: number): void => {
    possible.current = file
    possible.after.add(file)
  }
  const file = files[here.current]
  if (kind === 'syncDirectory') {
    const directory = name.slice(0, 1)
    io.fsyncDirectory(at(directory))
    for (const [path, possible] of names) {
      if (!path.startsWith(directory)) continue
      possible.after.clear()
      possible.after.add(possible.current)
    }
  } else if (kind === 'write' && here.current === 0) {
    const content = `file ${files.length}`
    io.createFile(at(name), Buffer.from(content), { durable: false })
    files.push({ content, synced: false })
    stands(here, files.length - 1)
  } else if (here.current === 0 || file === undefined) {
    return
  } else if (kind === 'append' || kind === 'fsync') {
    const fd = io.open(at(name), 'a')
    if (kind === 'append') io.writeAll(fd, Buffer.from('+'))
    else io.fsync(fd)
    io.close(fd)
    file.synced = kind === 'fsync'
    if (kind === 'append') file.content += '+'
  } else if (kind === 'unlink') {
    io.unlink(at(name))
    stands(here, 0)
  } else if (kind === 'link' && there.current === 0) {
    io.link(at(name), at(other))
    stands(there, here.current)
  } else if (kind === 'rename' && here.current !== there.current) {
    io.rename(at(name), at(other))
    stands(there, here.current)
    stands(here, 0)
  }
}

test.run()
