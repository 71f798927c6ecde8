/**
 * Makes one archive that runs on a machine with the same system and the same major version of Node and nothing else: the
 * built program, the packages it needs with their native parts, and a launcher that says what does not fit. The same files
 * give the same bytes: entries are sorted, owners and times left out.
 *
 * usage: node scripts/pack-offline.mjs [DIR]   (where the archive goes; default: the project's folder)
 */
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import tar from 'tar-stream'

const ROOT = resolve(import.meta.dirname, '..')
/** Asked for by packages for the time of their own installation. */
const INSTALLERS = new Set(['prebuild-install', 'node-gyp'])
/** What packages carry for building, for other programs and for their authors. */
const NOT_NEEDED =
  /(^|\/)(\.[^/]*|tests?|benchmarks?|examples?)(\/|$)|\.(bare|ts|md|gyp|gypi|mk|map)$/i
const NEEDED = /(^|\/)(licen[cs]e|notice|copying)[^/]*$|\.d\.ts$/i

const { version } = readJson('package.json')
const lock = readJson('package-lock.json').packages
const node = process.versions.node.split('.')[0]
const platform = `${process.platform}-${process.arch}`
const name = `artifacts-${version}-${platform}-node${node}`

/** Names in the archive, and what is in them. */
const files = new Map()
for (const path of ['package.json', 'LICENSE', '.artifactsignore.example']) addIfThere(path)
for (const folder of ['dist', 'docs']) addFolder(folder, () => true)
for (const path of packages()) addPackage(path)

const native = [...files.keys()].filter((path) => path.endsWith('.node'))
if (native.length === 0) throw new Error('Nothing is built: run `npm ci` first.')
const needs = needed(native)
const modules = process.versions.modules
const facts = { version, platform, node, modules, needs, native }
files.set('offline.json', {
  bytes: Buffer.from(`${JSON.stringify(facts, null, 2)}\n`),
  mode: 0o644,
})
addTemplate('README.md', 'README.md', 0o644)
addTemplate('artifacts', 'bin/artifacts', 0o755)
addTemplate('launch.cjs', 'launch.cjs', 0o644)

const names = [...files.keys()].sort()
const sums = names.map((path) => `${sha256(files.get(path).bytes)}  ${path}\n`).join('')
files.set('SHA256SUMS', { bytes: Buffer.from(sums), mode: 0o644 })

const target = resolve(process.env.INIT_CWD ?? '.', process.argv[2] ?? ROOT)
fs.mkdirSync(target, { recursive: true })
const archive = gzipSync(await archived([...names, 'SHA256SUMS']), { level: 9 })
const file = join(target, `${name}.tar.gz`)
fs.writeFileSync(file, archive)
const megabytes = (archive.length / 1e6).toFixed(1)
console.log(`${file}: ${files.size} files, ${megabytes} MB, sha256 ${sha256(archive)}`)

/** Folders of the packages that the program needs to run, as package-lock.json has them. */
function packages() {
  const found = new Set()
  const follow = (from, { dependencies, optionalDependencies }) => {
    for (const wanted of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const path = INSTALLERS.has(wanted) ? undefined : find(from, wanted)
      if (path === undefined || found.has(path)) continue
      found.add(path)
      follow(path, lock[path])
    }
  }
  follow('', lock[''])
  return [...found].sort()
}

/** Where Node finds a package that another one asks for; undefined where this system has none of it. */
function find(from, wanted) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const path = at === '' ? `node_modules/${wanted}` : `${at}/node_modules/${wanted}`
    if (lock[path] !== undefined) return fs.existsSync(join(ROOT, path)) ? path : undefined
    if (at === '') throw new Error(`package-lock.json has no "${wanted}" for "${from}".`)
  }
}

function addPackage(path) {
  const isBuilt = fs.existsSync(join(ROOT, path, 'binding.gyp'))
  addFolder(path, (inside) => {
    if (inside.startsWith('node_modules/')) return false
    if (isBuilt && /^(deps|src|build)\//.test(inside)) {
      return (
        /^build\/Release\/[^/]+\.node$/.test(inside) && !inside.endsWith('/test_extension.node')
      )
    }
    return NEEDED.test(inside) || !NOT_NEEDED.test(inside)
  })
}

function addFolder(folder, isWanted) {
  const entries = fs.readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
  for (const entry of entries) {
    const path = relative(ROOT, join(entry.parentPath, entry.name))
    if (entry.isFile() && isWanted(path.slice(folder.length + 1))) add(path)
  }
}

function addIfThere(path) {
  if (fs.existsSync(join(ROOT, path))) add(path)
}

function add(path) {
  const mode = path.endsWith('.node') ? 0o755 : 0o644
  files.set(path, { bytes: fs.readFileSync(join(ROOT, path)), mode })
}

function addTemplate(from, path, mode) {
  const values = { VERSION: version, PLATFORM: platform, NODE: node, NEEDS: needs, NAME: name }
  const text = fs
    .readFileSync(join(ROOT, 'scripts/offline', from), 'utf8')
    .replace(/@([A-Z]+)@/g, (_, key) => values[key])
  files.set(path, { bytes: Buffer.from(text), mode })
}

/** What the native parts ask of a system, as the names of symbols say it. */
function needed(paths) {
  const versions = paths.flatMap((path) => {
    const text = files.get(path).bytes.toString('latin1')
    return Array.from(text.matchAll(/GLIBC_(\d+)\.(\d+)/g), ([, major, minor]) => [+major, +minor])
  })
  const [newest] = versions.sort((a, b) => b[0] - a[0] || b[1] - a[1])
  return newest === undefined
    ? 'a system like the one it was made on'
    : `glibc ${newest.join('.')} or newer`
}

async function archived(paths) {
  const pack = tar.pack()
  for (const path of paths) {
    const { bytes, mode } = files.get(path)
    const header = { name: `${name}/${path}`, mode, mtime: new Date(0), uid: 0, gid: 0 }
    pack.entry({ ...header, size: bytes.length }, bytes)
  }
  pack.finalize()
  const pieces = []
  for await (const piece of pack) pieces.push(piece)
  return Buffer.concat(pieces)
}

function readJson(path) {
  return JSON.parse(fs.readFileSync(join(ROOT, path), 'utf8'))
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex')
}
