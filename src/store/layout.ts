/**
 * The name of everything in a store (docs/format.md section 1), and the names of files that are still being written.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { isSystemError } from '../errors.ts'

/** Absolute paths. The directories below `live` are made when a command needs them. */
export interface Layout {
  /** The `.artifacts` directory. */
  readonly root: string
  readonly format: string
  readonly config: string
  readonly gitignore: string
  readonly packs: string
  readonly log: string
  readonly bindings: string
  /** The one-line file that names the index database. */
  readonly index: string
  readonly stat: string
  readonly tmp: string
  readonly quarantine: string
  readonly live: string
  readonly remotes: string
  readonly cache: string
  /** Who may ask `serve` for what: never served itself. */
  readonly serveTokens: string
}

/** The paths of the store in `root`, the absolute path of a `.artifacts` directory. */
export function layoutOf(root: string): Layout {
  return {
    root,
    format: join(root, 'format.json'),
    config: join(root, 'config.json'),
    gitignore: join(root, '.gitignore'),
    packs: join(root, 'packs'),
    log: join(root, 'log'),
    bindings: join(root, 'bindings'),
    index: join(root, 'index'),
    stat: join(root, 'stat.db'),
    tmp: join(root, 'tmp'),
    quarantine: join(root, 'quarantine'),
    live: join(root, 'live'),
    remotes: join(root, 'remotes'),
    cache: join(root, 'cache'),
    serveTokens: join(root, 'serve-tokens.json'),
  }
}

/** Where the pack with this id is. */
export function packPath(layout: Layout, id: string): string {
  return join(layout.packs, `${id}.pack`)
}

/** Where operation `n`, from 1, is. */
export function operationPath(layout: Layout, n: number): string {
  if (!Number.isInteger(n) || n < 1 || n > 999_999_999_999) throw new Error(`no operation ${n}`)
  return join(layout.log, `${String(n).padStart(12, '0')}.json`)
}

/** Operations in sequence, both ends included. */
export interface OperationRange {
  readonly first: number
  readonly last: number
}

/** Where the segment with these operations is. */
export function segmentPath(layout: Layout, { first, last }: OperationRange): string {
  const digits = [first, last].map((n) => String(n).padStart(12, '0'))
  return join(layout.log, `${digits.join('-')}.jsonl`)
}

/** The operations in a segment of this name; undefined for any other name. */
export function parseSegmentName(name: string): OperationRange | undefined {
  const [, first = 0, last = 0] = (/^(\d{12})-(\d{12})\.jsonl$/.exec(name) ?? []).map(Number)
  return first >= 1 && last >= first ? { first, last } : undefined
}

/** The parts of a temporary name, `<host>.<pid>.<start time>.<random>`. */
export interface TemporaryName {
  readonly host: string
  readonly pid: number
  /** When the process began, as far as the system tells: on Linux in clock ticks since boot, else 0. */
  readonly start: number
  readonly random: string
}

/** A name that no other file has, which says what process writes it. Cheap: checkout takes one for each file. */
export function temporaryName(): string {
  serial++
  return `${ownPrefix()}${threadPart}${serial.toString(16)}`
}

const threadPart = randomBytes(8).toString('hex')
let serial = 0
let prefix: string | undefined

function ownPrefix(): string {
  prefix ??= `${ownHost()}.${process.pid}.${startOf(process.pid)}.`
  return prefix
}

/** What stands before a temporary name of a directory in a user's folder: stores and checkouts that are being built. */
export const STAGING_PREFIX = '.artifacts-'

/** True for the name of a directory that a process builds, or left behind: no version holds it. */
export function isStagingName(name: string): boolean {
  return (
    name.startsWith(STAGING_PREFIX) &&
    parseTemporaryName(name.slice(STAGING_PREFIX.length)) !== undefined
  )
}

/** The parts of a temporary name; undefined for any other. */
export function parseTemporaryName(name: string): TemporaryName | undefined {
  const match =
    /^([A-Za-z0-9_-]{1,100})\.([1-9][0-9]{0,8})\.([0-9]{1,15})\.([0-9a-f]{16,32})$/.exec(name)
  if (match === null) return undefined
  const [, host = '', pid, start, random = ''] = match
  return { host, pid: Number(pid), start: Number(start), random }
}

/**
 * True for a file in `tmp/` that nobody writes any more: its process is gone, or nobody here can tell (another host,
 * another container, a foreign name) and it is older than a day.
 *
 * @param now milliseconds since 1970, as is `mtime`
 */
export function isAbandoned(name: string, now: number, mtime: number): boolean {
  const writer = parseTemporaryName(name)
  if (writer === undefined || writer.host !== ownHost()) return now - mtime > 24 * 3600 * 1000
  return !isRunning(writer)
}

/** True for the name of a process of this host that is gone. Nobody here can tell of others. */
export function isDeadHere(name: string): boolean {
  const writer = parseTemporaryName(name)
  return writer !== undefined && writer.host === ownHost() && !isRunning(writer)
}

function isRunning(writer: TemporaryName): boolean {
  try {
    process.kill(writer.pid, 0)
  } catch (error) {
    if (isSystemError(error, 'ESRCH')) return false
    if (!isSystemError(error, 'EPERM')) throw error
  }
  // The number may have gone to another process: after a restart of a container it usually has.
  const start = startOf(writer.pid)
  return start === 0 || writer.start === 0 || start === writer.start
}

/** When a process began: field 22 of proc_pid_stat(5), exact and untouched by the wall clock. 0 if nobody tells. */
function startOf(pid: number): number {
  const stat = readProcFile(() => readFileSync(`/proc/${pid}/stat`, 'latin1'))
  // The name of the program, in brackets, may hold spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[19] ?? 0)
}

/**
 * The host's name, safe in a file name, with the process namespace where that is not the host's own: process numbers of
 * a container mean nothing outside of it, even if it calls itself by the host's name.
 */
function ownHost(): string {
  const host =
    hostname()
      .replaceAll(/[^A-Za-z0-9_-]/g, '-')
      .slice(0, 80) || 'host'
  const namespace = /[0-9]+/.exec(readProcFile(() => readlinkSync('/proc/self/ns/pid')))?.[0]
  return namespace === undefined || namespace === INITIAL_PID_NAMESPACE
    ? host
    : `${host}-${namespace}`
}

/** PROC_PID_INIT_INO of the Linux kernel. */
const INITIAL_PID_NAMESPACE = '4026531836'

/** What /proc says; empty where there is no such thing or it may not be read. */
function readProcFile(read: () => string): string {
  try {
    return read()
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'EACCES', 'EPERM', 'ESRCH', 'ENOTDIR', 'UNKNOWN')) return ''
    throw error
  }
}
