/** Random trees on disk, and random edits of them. */
import fs from 'node:fs'
import { dirname, join } from 'node:path'
import type { Random } from '../support/random.ts'

export interface TreeOptions {
  /** Parts of paths. */
  readonly names: readonly string[]
  readonly files: number
  /** The longest content of most files; one in ten is up to 400,000 bytes. */
  readonly bytes?: number
}

/** Names that sort oddly beside each other, and every character that may cause trouble. */
export const WILD_NAMES: readonly string[] = [
  'a',
  'a.b',
  'a-',
  'a0',
  'a b',
  ' ',
  'A',
  'é',
  'e\u0301',
  '\uffee',
  '\u{1f600}',
  'line\nbreak',
  'tab\t',
  '"quoted"',
  "it's",
  '\\',
  '-rf',
  '*',
  '.hidden',
  '...',
  '\u202egpj.exe',
  '\x1b[31m',
  'x'.repeat(255),
  'CON',
  'end.',
]

export const PLAIN_NAMES: readonly string[] = ['a', 'a.b', 'a-b', 'a0', 'b', 'c', 'dir', 'sub']

/** Makes a random tree in `dir`, which is made. */
export function growTree(dir: string, random: Random, options: TreeOptions): void {
  fs.mkdirSync(dir, { recursive: true })
  for (let index = 0; index < options.files; index++) addSomething(dir, random, options)
}

/** Changes a tree at random, in every way there is. */
export function editTree(dir: string, random: Random, options: TreeOptions, edits: number): void {
  for (let index = 0; index < edits; index++) {
    const all = listTree(dir)
    if (all.length === 0) {
      addSomething(dir, random, options)
      continue
    }
    const path = join(dir, random.pick(all))
    const stat = fs.lstatSync(path)
    const kind = random.integer(0, 9)
    if (kind <= 2) addSomething(dir, random, options)
    else if (kind === 3) fs.rmSync(path, { recursive: true })
    else if (kind === 4) move(dir, path, join(dir, randomPath(random, options)))
    else if (kind === 5) replace(path, random, options)
    else if (!stat.isFile()) addSomething(dir, random, options)
    else if (kind === 6) fs.chmodSync(path, stat.mode ^ 0o111)
    else if (kind === 7) fs.appendFileSync(path, 'more')
    else changeInPlace(path, random)
  }
}

/** Paths of everything below a directory, parents before children. Links are not followed. */
export function listTree(dir: string): string[] {
  return fs.readdirSync(dir, { withFileTypes: true }).flatMap((each) => {
    if (!each.isDirectory()) return [each.name]
    return [each.name, ...listTree(join(dir, each.name)).map((path) => `${each.name}/${path}`)]
  })
}

function addSomething(dir: string, random: Random, options: TreeOptions): void {
  const path = join(dir, randomPath(random, options))
  if (!makeWay(dir, dirname(path)) || isThere(path)) return
  makeItem(path, random, options)
}

function makeItem(path: string, random: Random, options: TreeOptions): void {
  const kind = random.integer(0, 9)
  if (kind === 0) {
    fs.mkdirSync(path)
    return
  }
  if (kind === 1) {
    fs.symlinkSync(random.pick(['a', '../a', 'nowhere', '/etc/hostname', '../../..', '.']), path)
    return
  }
  fs.writeFileSync(path, randomContent(random, options.bytes ?? 200))
  if (random.integer(0, 3) === 0) fs.chmodSync(path, 0o755)
}

function randomContent(random: Random, bytes: number): Buffer | string {
  const most = random.integer(0, 9) === 0 ? 400_000 : bytes
  const length = random.pick([0, 1, 64, 65, random.integer(0, most)])
  return random.integer(0, 1) === 0 ? random.bytes(length) : random.text(length)
}

function randomPath(random: Random, { names }: TreeOptions): string {
  const depth = random.integer(1, 4)
  return Array.from({ length: depth }, () => random.pick(names)).join('/')
}

/** False when something that is no directory stands in the way. */
function makeWay(top: string, dir: string): boolean {
  if (dir === top) return true
  if (!makeWay(top, dirname(dir))) return false
  const stat = fs.lstatSync(dir, { throwIfNoEntry: false })
  if (stat === undefined) fs.mkdirSync(dir)
  return stat === undefined || stat.isDirectory()
}

function move(top: string, from: string, to: string): void {
  if (`${to}/`.startsWith(`${from}/`) || !makeWay(top, dirname(to)) || isThere(to)) return
  fs.renameSync(from, to)
}

function isThere(path: string): boolean {
  return fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

/** Something of perhaps another kind takes the place. */
function replace(path: string, random: Random, options: TreeOptions): void {
  fs.rmSync(path, { recursive: true })
  if (random.integer(0, 2) > 0) {
    makeItem(path, random, options)
    return
  }
  fs.mkdirSync(path)
  makeItem(join(path, random.pick(options.names)), random, options)
}

/** The size stays as it was. */
function changeInPlace(path: string, random: Random): void {
  const { size } = fs.statSync(path)
  if (size === 0) return
  const fd = fs.openSync(path, 'r+')
  fs.writeSync(fd, random.bytes(1), 0, 1, random.integer(0, size - 1))
  fs.closeSync(fd)
}
