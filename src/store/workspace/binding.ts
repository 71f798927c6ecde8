/**
 * Notes of which directory holds which version (docs/format.md section 8), so that commands need no name. A directory
 * has one; directories are told apart by their real path, relative to the workspace. Notes are not synced: one that is
 * lost only makes the user name the directory again.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { damaged, isSystemError } from '../../errors.ts'
import { isName } from '../../names.ts'
import type { ArtifactId, ObjectId } from '../../types.ts'
import type { Io } from '../io/io.ts'
import { type Layout, temporaryName } from '../layout.ts'

/** The version that a directory holds. */
export interface BoundVersion {
  readonly artifact: ArtifactId
  /** Project, name and number as they were when it was bound. */
  readonly project: string
  readonly name: string
  readonly version: ObjectId
  readonly number: number
}

export interface Binding extends BoundVersion {
  /** Of the directory: relative to the workspace with `/` (`.` for itself), or absolute when outside. */
  readonly path: string
}

export interface Bindings {
  /** In the order of their paths. */
  readonly bindings: readonly Binding[]
  /** Files that can't be read as bindings, absolute paths. */
  readonly damaged: readonly string[]
}

/**
 * The binding of exactly this directory.
 * @throws ArtifactsError `ERR_DAMAGED` naming the file when it is not what was written.
 */
export function readBinding(layout: Layout, directory: string): Binding | undefined {
  const path = boundPath(layout, directory)
  const file = fileOf(layout, path)
  const found = read(file)
  if (found === 'damaged') throw damagedBinding(file, path)
  return found
}

/**
 * The binding of the nearest directory around `cwd`, itself included, or else the only one whose directory exists.
 * @throws ArtifactsError `ERR_DAMAGED` naming the file when the one to be asked is damaged.
 */
export function findBinding(layout: Layout, cwd: string): Binding | undefined {
  for (let directory = resolve(cwd); ; directory = dirname(directory)) {
    const binding = readBinding(layout, directory)
    if (binding !== undefined) return binding
    if (dirname(directory) === directory) break
  }
  const { bindings, damaged: broken } = listBindings(layout)
  const [only, ...others] = bindings.filter((binding) =>
    isDirectory(boundDirectory(layout, binding)),
  )
  return others.length === 0 && broken.length === 0 ? only : undefined
}

/** Binds a directory. Returns the binding that this replaces, if it was to another version. */
export function writeBinding(
  io: Io,
  layout: Layout,
  directory: string,
  bound: BoundVersion,
): Binding | undefined {
  const path = boundPath(layout, directory)
  const file = fileOf(layout, path)
  const { artifact, project, name, version, number } = bound
  const text = `${JSON.stringify({ path, artifact, project, name, version, number })}\n`
  const before = read(file)
  io.mkdir(layout.bindings, { recursive: true })
  const tmp = join(layout.tmp, temporaryName())
  io.writeFileAtomic(file, Buffer.from(text), { durable: false, tmp })
  if (before === undefined || before === 'damaged') return undefined
  return before.artifact === artifact && before.version === version ? undefined : before
}

/** Forgets what a directory holds. */
export function removeBinding(io: Io, layout: Layout, directory: string): void {
  try {
    io.unlink(fileOf(layout, boundPath(layout, directory)))
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error
  }
}

export function listBindings(layout: Layout): Bindings {
  const bindings: Binding[] = []
  const broken: string[] = []
  for (const name of namesIn(layout.bindings)) {
    if (!name.endsWith('.json')) continue
    const file = join(layout.bindings, name)
    const found = read(file)
    if (found === 'damaged') broken.push(file)
    else if (found !== undefined) bindings.push(found)
  }
  bindings.sort((a, b) => (a.path < b.path ? -1 : 1))
  return { bindings, damaged: broken.sort() }
}

/** Where a bound directory is, absolute. */
export function boundDirectory(layout: Layout, { path }: Binding): string {
  return resolve(dirname(layout.root), path)
}

function boundPath(layout: Layout, directory: string): string {
  const path = relative(realPath(dirname(layout.root)), realPath(directory))
  if (path === '') return '.'
  const isOutside = path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path)
  return isOutside ? realPath(directory) : path.replaceAll(sep, '/')
}

/** The path without symlinks, as far as it exists. */
function realPath(path: string): string {
  const whole = resolve(path)
  try {
    return realpathSync.native(whole)
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR') || dirname(whole) === whole) throw error
    return join(realPath(dirname(whole)), basename(whole))
  }
}

function fileOf(layout: Layout, path: string): string {
  return join(layout.bindings, `${hashOf(path)}.json`)
}

function hashOf(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 32)
}

function read(file: string): Binding | 'damaged' | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined
    if (isSystemError(error, 'EISDIR', 'EIO')) return 'damaged'
    throw error
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return 'damaged'
    throw error
  }
  return isBinding(value) && basename(file) === `${hashOf(value.path)}.json` ? value : 'damaged'
}

function isBinding(value: unknown): value is Binding {
  if (typeof value !== 'object' || value === null) return false
  const { path, artifact, project, name, version, number } = value as Record<string, unknown>
  return (
    typeof path === 'string' &&
    isHex(artifact, 32) &&
    typeof project === 'string' &&
    isName(project) &&
    typeof name === 'string' &&
    isName(name) &&
    isHex(version, 64) &&
    Number.isSafeInteger(number) &&
    (number as number) >= 0
  )
}

function isHex(value: unknown, digits: number): boolean {
  return typeof value === 'string' && value.length === digits && /^[0-9a-f]+$/.test(value)
}

function damagedBinding(file: string, path: string): Error {
  return damaged(`"${file}", which says what version "${path}" holds, is damaged`, {
    hint: `Remove it (\`rm '${file}'\`), then commit or check out "${path}" by name.`,
  })
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return []
    throw error
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
