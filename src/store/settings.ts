/** `config.json`: a store's settings, one JSON object of texts. What is not set has a default. */
import { readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { ArtifactsError, isSystemError } from '../errors.ts'
import { checkEntity, checkProject, parseDuration, parseSize } from '../names.ts'
import type { Io } from './io/io.ts'
import { type Layout, temporaryName } from './layout.ts'

export interface Setting {
  readonly key: SettingKey
  readonly value: string
  readonly from: 'default' | 'store'
}

interface Definition {
  readonly default: string
  readonly check: (value: string) => unknown
}

export type SettingKey =
  | 'cache.dir'
  | 'cache.maxBytes'
  | 'durability'
  | 'entity'
  | 'gc.grace'
  | 'project'
  | 'references.hosts'

const DEFINITIONS: Readonly<Record<SettingKey, Definition>> = {
  'cache.dir': { default: '', check: checkDirectory },
  'cache.maxBytes': { default: '20GB', check: parseSize },
  durability: { default: 'power', check: oneOf('power', 'process') },
  entity: { default: '', check: checkEntity },
  'gc.grace': { default: '14d', check: parseDuration },
  project: { default: 'default', check: checkProject },
  'references.hosts': { default: '', check: checkHosts },
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
    const known = checkKey(key)
    return this.#values[known] ?? DEFINITIONS[known].default
  }

  list(): readonly Setting[] {
    return settingKeys().map((key) => {
      const value = this.#values[key]
      return value === undefined
        ? { key, value: DEFINITIONS[key].default, from: 'default' }
        : { key, value, from: 'store' }
    })
  }

  /** Writes the file anew; returns the settings as they are then. Throws ERR_CONFIG for a value that does not fit. */
  set(key: string, value: string, io: Io): Settings {
    const known = checkKey(key)
    checkValue(known, value)
    const text = `${JSON.stringify({ ...this.#values, [known]: value }, null, 2)}\n`
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

function checkKey(key: string): SettingKey {
  if (Object.hasOwn(DEFINITIONS, key)) return key as SettingKey
  throw new ArtifactsError('ERR_CONFIG', `There is no setting "${key}".`, {
    hint: `Settings are ${settingKeys().join(', ')}: run \`artifacts config ls\`.`,
  })
}

function checkValue(key: SettingKey, value: string): void {
  try {
    DEFINITIONS[key].check(value)
  } catch (error) {
    if (!(error instanceof ArtifactsError)) throw error
    throw new ArtifactsError(
      'ERR_CONFIG',
      `"${value}" can't be the setting "${key}": ${error.message}`,
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
    if (Object.hasOwn(DEFINITIONS, key)) checkValue(key as SettingKey, value)
  }
  return values
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
