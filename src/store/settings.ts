/** `config.json`: a store's settings, one JSON object of texts. What is not set has a default. */
import { readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { ArtifactsError, isSystemError } from '../errors.ts'
import {
  checkEntity,
  checkProject,
  checkRemote,
  isName,
  parseDuration,
  parseSize,
} from '../names.ts'
import type { Io } from './io/io.ts'
import { type Layout, temporaryName } from './layout.ts'
import { isRemoteAddress, shownAddress } from './remote-address.ts'

export interface Setting {
  readonly key: string
  readonly value: string
  readonly from: 'default' | 'store'
}

interface Definition {
  readonly default: string
  readonly check: (value: string) => unknown
}

export type SettingKey =
  | 'bundle.signer'
  | 'cache.dir'
  | 'cache.maxBytes'
  | 'durability'
  | 'entity'
  | 'fetch'
  | 'gc.grace'
  | 'primary'
  | 'project'
  | 'references.hosts'

const DEFINITIONS: Readonly<Record<SettingKey, Definition>> = {
  'bundle.signer': { default: '', check: (value) => value },
  'cache.dir': { default: '', check: checkDirectory },
  'cache.maxBytes': { default: '20GB', check: parseSize },
  durability: { default: 'power', check: oneOf('power', 'process') },
  entity: { default: '', check: checkEntity },
  fetch: { default: 'asked', check: oneOf('asked', 'auto') },
  'gc.grace': { default: '14d', check: parseDuration },
  primary: { default: '', check: (value) => value === '' || checkRemote(value) },
  project: { default: 'default', check: checkProject },
  'references.hosts': { default: '', check: checkHosts },
}

/** What is set of one remote, as `remote.<name>.url`. */
const REMOTE_DEFINITIONS: Readonly<Record<'url' | 'single-writer', Definition>> = {
  url: { default: '', check: checkAddress },
  'single-writer': { default: 'false', check: oneOf('true', 'false') },
}

export class Settings {
  readonly #layout: Layout
  readonly #values: Readonly<Record<string, string>>

  constructor(layout: Layout) {
    this.#layout = layout
    this.#values = readConfig(layout.config)
  }

  /** The value; empty where nothing is set and there is no default. Throws ERR_CONFIG for a key that does not exist. */
  get(key: string): string {
    const { default: otherwise } = definitionOf(key)
    return this.#values[key] ?? otherwise
  }

  /** Those that are always there, then what is set of remotes, by name. */
  list(): readonly Setting[] {
    const remotes = Object.keys(this.#values).filter((key) => parseRemoteKey(key) !== undefined)
    return [...settingKeys(), ...remotes.sort()].map((key) => {
      const value = this.#values[key]
      return value === undefined
        ? { key, value: definitionOf(key).default, from: 'default' }
        : { key, value, from: 'store' }
    })
  }

  /** Names of the remotes that have an address, in the order in which they were added. */
  remotes(): readonly string[] {
    return Object.keys(this.#values)
      .map(parseRemoteKey)
      .filter((key) => key?.what === 'url')
      .map((key) => (key as RemoteKey).name)
  }

  /** Writes the file anew; returns the settings as they are then. Throws ERR_CONFIG for a value that does not fit. */
  set(key: string, value: string, io: Io): Settings {
    return this.change({ [key]: value }, io)
  }

  /** Sets several at once; what is undefined goes back to its default. As `set`. */
  change(changes: Readonly<Record<string, string | undefined>>, io: Io): Settings {
    // Others may have written since.
    const values: Record<string, string> = { ...readConfig(this.#layout.config) }
    for (const [key, value] of Object.entries(changes)) {
      const definition = definitionOf(key)
      if (value === undefined) delete values[key]
      else {
        checkValue(key, definition, value)
        values[key] = value
      }
    }
    for (const key of Object.keys(changes)) checkRemoteExists(key, values)
    const text = `${JSON.stringify(values, null, 2)}\n`
    io.writeFileAtomic(this.#layout.config, Buffer.from(text), {
      tmp: join(this.#layout.tmp, temporaryName()),
      durable: true,
    })
    return new Settings(this.#layout)
  }
}

export function settingKeys(): readonly SettingKey[] {
  return Object.keys(DEFINITIONS) as SettingKey[]
}

interface RemoteKey {
  readonly name: string
  readonly what: keyof typeof REMOTE_DEFINITIONS
}

/** `remote.<name>.url` in its parts; names may have dots. */
function parseRemoteKey(key: string): RemoteKey | undefined {
  const [, name = '', what] = /^remote\.(.+)\.(url|single-writer)$/.exec(key) ?? []
  return isName(name) ? { name, what: what as RemoteKey['what'] } : undefined
}

function definitionOf(key: string): Definition {
  if (Object.hasOwn(DEFINITIONS, key)) return DEFINITIONS[key as SettingKey]
  const remote = parseRemoteKey(key)
  if (remote !== undefined) return REMOTE_DEFINITIONS[remote.what]
  throw new ArtifactsError('ERR_CONFIG', `There is no setting "${key}".`, {
    hint: `Settings are ${settingKeys().join(', ')}, remote.NAME.url, remote.NAME.single-writer: run \`artifacts config ls\`.`,
  })
}

/** A setting that speaks of a remote takes one that is there. */
function checkRemoteExists(key: string, values: Readonly<Record<string, string>>): void {
  const name = key === 'primary' ? values[key] : parseRemoteKey(key)?.name
  if (!values[key] || name === undefined || values[`remote.${name}.url`] !== undefined) return
  throw new ArtifactsError('ERR_CONFIG', `There is no remote "${name}".`, {
    hint: `Add it first: \`artifacts remote add ${name} URL\`.`,
  })
}

function checkValue(key: string, { check }: Definition, value: string): void {
  try {
    check(value)
  } catch (error) {
    if (!(error instanceof ArtifactsError)) throw error
    throw new ArtifactsError(
      'ERR_CONFIG',
      `"${key.endsWith('.url') ? shownAddress(value) : value}" can't be the setting "${key}": ${error.message}`,
      {
        hint: error.hint,
      },
    )
  }
}

function readConfig(path: string): Readonly<Record<string, string>> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return {}
    throw error
  }
  const values = parse(text)
  if (values === undefined) {
    throw new ArtifactsError('ERR_CONFIG', `The file "${path}" is no JSON object of texts.`, {
      hint: `Mend it, or remove it to go back to the defaults: \`rm '${path}'\``,
    })
  }
  for (const [key, value] of Object.entries(values)) {
    // A later program may have settings that this one does not know.
    if (isKnown(key)) checkValue(key, definitionOf(key), value)
  }
  return values
}

function isKnown(key: string): boolean {
  return Object.hasOwn(DEFINITIONS, key) || parseRemoteKey(key) !== undefined
}

function parse(text: string): Readonly<Record<string, string>> | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.values(value).every((each) => typeof each === 'string')
    ? (value as Record<string, string>)
    : undefined
}

function checkAddress(value: string): void {
  if (isRemoteAddress(value)) return
  throw new ArtifactsError(
    'ERR_CONFIG',
    'it must be `s3://BUCKET/PREFIX`, `https://HOST/PATH/` or `file:///PATH`, without user, password, "?" or "#".',
    {
      hint: 'Credentials are never kept in a store: docs/remote.md, section 8, says where they go.',
    },
  )
}

/** Hosts with commas between, each with a port or without. */
function checkHosts(value: string): void {
  if (value.split(',').every((host) => /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)?(:\d{1,5})?$/i.test(host)))
    return
  throw new ArtifactsError('ERR_CONFIG', 'it must be hosts with commas between.', {
    hint: 'As in `artifacts config set references.hosts minio.lan:9000,10.0.0.5`.',
  })
}

function oneOf(...values: readonly string[]): (value: string) => void {
  return (value) => {
    if (values.includes(value)) return
    throw new ArtifactsError('ERR_CONFIG', `it must be ${values.join(' or ')}.`)
  }
}

function checkDirectory(path: string): void {
  if (path === '' || isAbsolute(path)) return
  throw new ArtifactsError('ERR_CONFIG', 'it must be an absolute path.')
}
