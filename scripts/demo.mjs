/**
 * Takes a store through its main job on real files, with nothing but the built command line: commits a directory,
 * changes some files, commits again, shows log and differences, checks the first version out elsewhere and verifies.
 * The checked-out copy is then compared with the original byte by byte, by code of its own. Everything is made in a
 * temporary folder that is removed in the end; the directory given is only read.
 *
 * usage: node scripts/demo.mjs [-n] [DIR]   (default: the installed node_modules)
 *   -n   no copy is made first: DIR is committed where it is, and changed in a checkout
 */
import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { parseArgs } from 'node:util'

const ROOT = resolve(import.meta.dirname, '..')
const PROGRAM = join(ROOT, 'dist/program/artifacts.js')
const NEVER_STORED = new Set(['.git', '.artifacts'])
const LINES_SHOWN = 20
const MIB = 2 ** 20
const EDITED_AT_MOST = 256 * MIB

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'no-copy': { type: 'boolean', short: 'n', default: false } },
})
// npm starts scripts in the project's folder; INIT_CWD is where the person is.
const given = positionals[0] ?? join(ROOT, 'node_modules')
const input = fs.realpathSync(resolve(process.env.INIT_CWD ?? '.', given))
if (!fs.statSync(input).isDirectory()) throw new Error(`"${input}" is not a directory.`)
const name =
  basename(input)
    .replace(/[^A-Za-z0-9_]+/g, '-')
    .replace(/^-/, '') || 'input'

const workspace = fs.mkdtempSync(join(tmpdir(), 'artifacts-demo-'))
const steps = []
let interrupted = false
process.on('SIGINT', () => {
  interrupted = true
})
try {
  await run()
} catch (error) {
  console.error(`\nFAILED: ${error.message}`)
  process.exitCode = 1
} finally {
  fs.rmSync(workspace, { recursive: true, force: true })
}

async function run() {
  const data = join(workspace, 'data')
  const first = join(workspace, 'first')
  const named = ['-n', name]
  const source = options['no-copy'] ? input : data

  console.log(`Input: ${input}\nStore: ${join(workspace, '.artifacts')}, removed at the end`)
  if (!options['no-copy']) await timed('copy the input', () => copy(input, data))
  const before = measure(source)
  console.log(`       ${count(before.files, 'file')}, ${size(before.bytes)}`)

  await artifacts('init')
  await artifacts('commit', source, ...named, '-m', 'as it came', '--allow-secrets')
  await artifacts('commit', source, ...named)
  if (options['no-copy']) await artifacts('checkout', `${name}:v0`, data)
  await timed('change some files', () => change(data))
  await artifacts('status')
  await artifacts('commit', data, ...named, '-m', 'some files changed')
  await artifacts('log', name)
  await artifacts('diff', `${name}:v0`, `${name}:v1`, '--stat')
  await artifacts('diff', `${name}:v0`, `${name}:v1`, '--name-status')
  await artifacts('checkout', `${name}:v0`, first)
  await artifacts('verify', `${name}:v0`, `${name}:v1`)
  await artifacts('verify', `${name}:v0`, '--dir', first)
  await timed('compare the checkout with the original, byte by byte', () => compare(input, first))
  summarize(before, measure(data))
}

/** Runs the program in the workspace and shows what it says; a failing command ends the demo. */
async function artifacts(...parameters) {
  const shown = parameters.map((text) => (/[^\w./:=@-]/.test(text) ? `'${text}'` : text))
  await timed(`artifacts ${shown.join(' ').replaceAll(`${workspace}/`, '')}`, () => {
    const { status, signal, error, stdout, stderr } = spawnSync(
      process.execPath,
      [PROGRAM, ...parameters],
      { cwd: workspace, env: environment(), encoding: 'utf8', maxBuffer: 2 ** 30 },
    )
    if (error) throw error
    const lines = `${stderr}${stdout}`.trimEnd().split('\n')
    for (const line of lines.slice(0, LINES_SHOWN)) console.log(`  ${line}`)
    if (lines.length > LINES_SHOWN) console.log(`  ... ${lines.length - LINES_SHOWN} more lines`)
    if (status !== 0) throw new Error(`artifacts ${shown[0]} ended with ${signal ?? status}`)
  })
}

/** Without what would lead the program to a store of the person's own. */
function environment() {
  return Object.fromEntries(
    Object.entries(process.env).filter(([variable]) => !variable.startsWith('ARTIFACTS_')),
  )
}

async function timed(title, work) {
  console.log(`\n$ ${title}`)
  const start = performance.now()
  work()
  const seconds = (performance.now() - start) / 1000
  steps.push({ title, seconds })
  console.log(`  (${seconds.toFixed(2)} s)`)
  // Signals arrive between the steps: all of them are synchronous.
  await setImmediate()
  if (interrupted) throw new Error('interrupted')
}

/** Copies what a store can hold; sockets and the like are left out, as a commit leaves them out. */
function copy(from, to) {
  fs.cpSync(from, to, {
    recursive: true,
    preserveTimestamps: true,
    verbatimSymlinks: true,
    mode: fs.constants.COPYFILE_FICLONE,
    filter: (path) => path === from || kindOf(path) !== undefined,
  })
}

/** Edits, adds, deletes and renames a few files, the same ones on every run. */
function change(root) {
  const files = entries(root).filter(
    (entry) => entry.kind === 'file' && entry.size > 0 && entry.size <= EDITED_AT_MOST,
  )
  const take = (part) => files.splice(Math.floor(files.length * part), 1)[0]
  files.sort((a, b) => a.size - b.size)
  const largest = files.pop()
  files.sort((a, b) => (a.path < b.path ? -1 : 1))
  const [edited, renamed, deleted] = [take(0.2), take(0.5), take(0.8)]

  if (largest)
    insert(join(root, largest.path), Math.floor(largest.size / 2), 'a few words in the middle')
  if (edited) insert(join(root, edited.path), edited.size, '\nand a line at the end\n')
  fs.mkdirSync(join(root, 'by-the-demo'))
  fs.writeFileSync(
    join(root, 'by-the-demo/added.txt'),
    'This file was not in the first version.\n'.repeat(50),
  )
  if (deleted) fs.rmSync(join(root, deleted.path))
  if (renamed)
    fs.renameSync(join(root, renamed.path), join(root, 'by-the-demo', basename(renamed.path)))

  if (largest) console.log(`  words in the middle of ${largest.path} (${size(largest.size)})`)
  if (edited) console.log(`  a line at the end of ${edited.path}`)
  console.log('  added by-the-demo/added.txt')
  if (deleted) console.log(`  deleted ${deleted.path}`)
  if (renamed) console.log(`  moved ${renamed.path} to by-the-demo/`)
}

function insert(file, position, text) {
  const bytes = fs.readFileSync(file)
  fs.chmodSync(file, fs.statSync(file).mode | 0o200)
  fs.writeFileSync(
    file,
    Buffer.concat([bytes.subarray(0, position), Buffer.from(text), bytes.subarray(position)]),
  )
}

/** Throws at the first differences in names, kinds, link targets, executable bits or bytes. */
function compare(original, checkedOut) {
  const found = new Map(entries(checkedOut).map((entry) => [entry.path, entry]))
  const wanted = entries(original)
  const ignoring = wanted.some(({ path }) => basename(path) === '.artifactsignore')
  const differences = []
  let leftOut = 0
  let bytes = 0
  for (const entry of wanted) {
    const copied = found.get(entry.path)
    found.delete(entry.path)
    if (copied === undefined && ignoring) leftOut++
    else if (copied === undefined) differences.push(`${entry.path} is missing`)
    else if (!same(entry, copied)) differences.push(`${entry.path} differs`)
    else bytes += entry.size
  }
  for (const path of found.keys()) differences.push(`${path} is too many`)
  if (differences.length > 0) {
    const shown = differences.slice(0, 10).map((line) => `\n  ${line}`)
    throw new Error(`${count(differences.length, 'difference')} from ${original}:${shown.join('')}`)
  }
  if (leftOut > 0) console.log(`  ${count(leftOut, 'path')} left out by .artifactsignore`)
  console.log(`  ${count(wanted.length - leftOut, 'path')} and ${size(bytes)} are the same`)
}

function same(a, b) {
  if (a.kind !== b.kind || a.size !== b.size) return false
  if (a.kind === 'symlink') return fs.readlinkSync(a.full) === fs.readlinkSync(b.full)
  return a.kind !== 'file' || (a.executable === b.executable && sameBytes(a.full, b.full))
}

function sameBytes(a, b) {
  const files = [a, b].map((path) => ({
    fd: fs.openSync(path),
    buffer: Buffer.allocUnsafe(MIB),
  }))
  try {
    for (;;) {
      const [one, other] = files.map(({ fd, buffer }) => buffer.subarray(0, fill(fd, buffer)))
      if (!one.equals(other)) return false
      if (one.length === 0) return true
    }
  } finally {
    for (const { fd } of files) fs.closeSync(fd)
  }
}

function fill(fd, buffer) {
  let filled = 0
  for (;;) {
    const read = fs.readSync(fd, buffer, filled, buffer.length - filled, null)
    if (read === 0) return filled
    filled += read
  }
}

/** Every path below a directory that a store can hold: files, symlinks, and directories with nothing in them. */
function entries(root) {
  const result = []
  const walk = (folder) => {
    let inside = 0
    for (const entry of fs.readdirSync(folder)) {
      const full = join(folder, entry)
      const kind = kindOf(full)
      if (kind === undefined) continue
      inside++
      if (kind === 'directory') {
        if (walk(full) === 0) result.push({ path: relative(root, full), full, kind, size: 0 })
        continue
      }
      const stat = fs.lstatSync(full)
      const length = kind === 'file' ? stat.size : 0
      const executable = (stat.mode & 0o100) !== 0
      result.push({ path: relative(root, full), full, kind, size: length, executable })
    }
    return inside
  }
  walk(root)
  return result
}

function kindOf(path) {
  if (NEVER_STORED.has(basename(path).toLowerCase())) return undefined
  const stat = fs.lstatSync(path)
  if (stat.isFile()) return 'file'
  if (stat.isDirectory()) return 'directory'
  return stat.isSymbolicLink() ? 'symlink' : undefined
}

function measure(root) {
  const files = entries(root).filter(({ kind }) => kind !== 'directory')
  return { files: files.length, bytes: files.reduce((sum, file) => sum + file.size, 0) }
}

function summarize(before, after) {
  const store = storeSizes(join(workspace, '.artifacts'))
  const kept = store.packs + store.log
  const rows = [
    ['first version', `${count(before.files, 'file')}, ${size(before.bytes)}`],
    ['second version', `${count(after.files, 'file')}, ${size(after.bytes)}`],
    ['stored for both', `${size(kept)} in ${count(store.packFiles, 'pack')} and the log`],
    ['of the first', `${((100 * kept) / Math.max(1, before.bytes)).toFixed(1)} % of its bytes`],
    ['index and caches', `${size(store.other)}, can be rebuilt`],
  ]
  console.log('\nWhat was stored')
  for (const [title, text] of rows) console.log(`  ${title.padEnd(18)}${text}`)
  console.log('\nHow long it took')
  for (const { title, seconds } of steps) {
    console.log(`  ${seconds.toFixed(2).padStart(7)} s  ${title}`)
  }
  console.log('\nThe checked-out first version is the same as the original, byte by byte.')
}

function storeSizes(store) {
  const sizes = { packs: 0, packFiles: 0, log: 0, other: 0 }
  for (const entry of fs.readdirSync(store, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const full = join(entry.parentPath, entry.name)
    const folder = relative(store, dirname(full)).split('/')[0]
    sizes[folder === 'packs' || folder === 'log' ? folder : 'other'] += fs.statSync(full).size
    if (folder === 'packs') sizes.packFiles++
  }
  return sizes
}

function count(number, noun) {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`
}

/** Decimal units, as the program prints them. */
function size(bytes) {
  const power = bytes < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** power
  return `${power === 0 ? value : value.toPrecision(3)} ${['B', 'kB', 'MB', 'GB', 'TB'][power]}`
}
