/**
 * The grammar of names. A ref says which version is meant:
 *
 *     [[entity/]project/]name[:vN|:alias][~N]     name@<id prefix>[~N]     @<id prefix>[~N]
 *
 * `~N` counts N live versions back by number. Pure: nothing here knows which names exist. Durations and sizes are here too.
 */
import { ArtifactsError } from './errors.ts'

/** How a ref picks one of an artifact's versions. */
export type Selector =
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'alias'; readonly alias: string }
  /** 6–64 lower-case hex digits. */
  | { readonly kind: 'id'; readonly prefix: string }

export interface Ref {
  readonly entity?: string
  readonly project?: string
  /** Absent only where an id selects: an id names its artifact too. */
  readonly name?: string
  /** Absent: `latest`. */
  readonly selector?: Selector
  /** How many live versions back from the selected one; 0 is that one itself. */
  readonly back: number
}

const WORD = /^[A-Za-z0-9._-]{1,128}$/
const TAG = /^[\p{L}\p{M}\p{N}_.-]+(?: +[\p{L}\p{M}\p{N}_.-]+)*$/u
const NUMBER = /^v(\d+)$/
const RUN_ID = /^[A-Za-z0-9_-]{1,64}$/
const ID_PREFIX = /^[0-9a-f]{6,64}$/i
const WORD_RULE = 'Use 1 to 128 of the characters A-Z a-z 0-9 . _ - without "..".'

/** Returns an artifact's name as given; throws ERR_INVALID_NAME for one that breaks the grammar. */
export function checkName(text: string): string {
  return checkWord(text, 'artifact name')
}

/** Returns a project's name as given; throws ERR_INVALID_NAME. */
export function checkProject(text: string): string {
  return checkWord(text, 'project name')
}

/** Returns an entity's name as given; throws ERR_INVALID_NAME. */
export function checkEntity(text: string): string {
  return checkWord(text, 'entity name')
}

/** Returns an artifact's type (`dataset`, `model`, …) as given; throws ERR_INVALID_NAME. */
export function checkType(text: string): string {
  return checkWord(text, 'artifact type')
}

/** Returns the name of a remote as given; throws ERR_INVALID_NAME. */
export function checkRemote(text: string): string {
  return checkWord(text, 'name of a remote')
}

/** Returns an alias as given; throws ERR_INVALID_NAME, also for `v<digits>`, which is a version's number. */
export function checkAlias(text: string): string {
  if (NUMBER.test(text)) {
    throw invalid('alias', text, 'v and digits name a version by its number. Choose another word.')
  }
  return checkWord(text, 'alias')
}

/** Returns a tag as given: words of letters, digits, `.`, `_`, `-` in any script, with spaces between; at most 128 characters. */
export function checkTag(text: string): string {
  if (text.length > 128 || !TAG.test(text)) {
    throw invalid(
      'tag',
      text,
      'Use 1 to 128 letters, digits, ".", "_", "-", and spaces between words.',
    )
  }
  return text
}

/** True for what `checkName`, `checkProject`, `checkEntity` and `checkType` accept. */
export function isName(text: string): boolean {
  return WORD.test(text) && !text.includes('..')
}

export function isAlias(text: string): boolean {
  return isName(text) && !NUMBER.test(text)
}

export function isTag(text: string): boolean {
  return text.length <= 128 && TAG.test(text)
}

/** Returns the id of a run as given; throws ERR_INVALID_NAME. */
export function checkRunId(text: string): string {
  if (isRunId(text)) return text
  throw invalid('id of a run', text, 'Use 1 to 64 of the characters A-Z a-z 0-9 _ -.')
}

/** Returns any text that is not empty as given: a run's name, job or group, a slot. Throws ERR_INVALID_NAME. */
export function checkText(text: string, what: string): string {
  if (isText(text) && !/\p{Surrogate}/u.test(text)) return text
  throw invalid(what, text, 'Use a text of 1 to 1024 characters.')
}

/** Returns a description or notes as given: any text, whose characters are whole. Throws ERR_USAGE. */
export function checkProse(text: string, what: string): string {
  if (!/\p{Surrogate}/u.test(text)) return text
  throw new ArtifactsError(
    'ERR_USAGE',
    `The ${what} holds half a character, which UTF-8 has not.`,
    {
      hint: 'Cut texts between characters, as `[...text].slice(0, n).join("")` does.',
    },
  )
}

export function isRunId(text: string): boolean {
  return RUN_ID.test(text)
}

export function isText(text: string): boolean {
  return text.length > 0 && text.length <= 1024
}

/** Reads a ref. `name:` means `name:latest`, said aloud. Throws ERR_INVALID_NAME. */
export function parseRef(text: string): Ref {
  const { body, back } = splitBack(text)
  const at = body.indexOf('@')
  const colon = body.indexOf(':')
  if (at >= 0 && colon >= 0) throw invalid('ref', text, 'Select by ":" or by "@", not by both.')
  if (at < 0 && colon < 0) return { ...parsePath(body, text), back }
  const path = body.slice(0, at < 0 ? colon : at)
  const selector =
    at < 0 ? parseSelector(body.slice(colon + 1) || 'latest') : parseId(body.slice(at + 1), text)
  if (path === '' && at >= 0) return { selector, back }
  return { ...parsePath(path, text), selector, back }
}

/** Reads what may follow the colon of a ref: `v<number>` or an alias. Throws ERR_INVALID_NAME. */
export function parseSelector(text: string): Selector {
  const digits = NUMBER.exec(text)?.[1]
  if (digits === undefined) return { kind: 'alias', alias: checkAlias(text) }
  const number = Number(digits)
  if (!Number.isSafeInteger(number) || String(number) !== digits) {
    throw invalid('version', text, 'Write a version as v0, v1, v2, … without leading zeros.')
  }
  return { kind: 'number', number }
}

/** Returns the shortest text that `parseRef` reads as this ref. */
export function formatRef(ref: Ref): string {
  const path = [ref.entity, ref.project, ref.name].filter((part) => part !== undefined).join('/')
  const back = ref.back === 0 ? '' : `~${ref.back}`
  return `${path}${ref.selector === undefined ? '' : formatSelector(ref.selector)}${back}`
}

/** Returns a selector with its mark: `:v3`, `:best`, `@9f86d0`. */
export function formatSelector(selector: Selector): string {
  switch (selector.kind) {
    case 'number':
      return `:v${selector.number}`
    case 'alias':
      return `:${selector.alias}`
    case 'id':
      return `@${selector.prefix}`
  }
}

/**
 * Returns the milliseconds of a duration such as `90s`, `30m`, `2h`, `14d`; `0` needs no unit. Throws ERR_USAGE.
 */
export function parseDuration(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,9})([smhd])$/.exec(text === '0' ? '0s' : text) ?? []
  const length = MILLISECONDS[unit]
  if (digits !== undefined && length !== undefined) return Number(digits) * length
  throw new ArtifactsError('ERR_USAGE', `"${text}" is not a duration.`, {
    hint: 'Write a whole number and a unit: `90s`, `30m`, `2h` or `14d`.',
  })
}

const MILLISECONDS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** Returns the bytes of a size such as `500MB`, `4GB` (decimal), `4GiB` (binary) or `1000`. Throws ERR_USAGE. */
export function parseSize(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,15}(?:\.\d{1,3})?) ?([kKMGTP]i?)?B?$/.exec(text) ?? []
  const power = ['', 'k', 'm', 'g', 't', 'p'].indexOf(unit.charAt(0).toLowerCase())
  const bytes = Math.round(Number(digits) * (unit.endsWith('i') ? 1024 : 1000) ** power)
  if (digits !== undefined && Number.isSafeInteger(bytes)) return bytes
  throw new ArtifactsError('ERR_USAGE', `"${text}" is not a size.`, {
    hint: 'Write a number and a unit: `500MB`, `4GB` (decimal), `4GiB` (binary), or just bytes.',
  })
}

function splitBack(text: string): { body: string; back: number } {
  const tilde = text.indexOf('~')
  if (tilde < 0) return { body: text, back: 0 }
  const digits = text.slice(tilde + 1)
  const back = Number(digits)
  if (!/^\d+$/.test(digits) || !Number.isSafeInteger(back)) {
    throw invalid(
      'ref',
      text,
      '"~" is followed by the number of versions to go back, as in "bike:best~1".',
    )
  }
  return { body: text.slice(0, tilde), back }
}

function parsePath(path: string, text: string): Pick<Ref, 'entity' | 'project' | 'name'> {
  const parts = path.split('/')
  const name = parts.pop() ?? ''
  const project = parts.pop()
  const entity = parts.pop()
  if (parts.length > 0)
    throw invalid('ref', text, 'A ref has the form [[entity/]project/]name[:version].')
  return {
    ...(entity === undefined ? {} : { entity: checkEntity(entity) }),
    ...(project === undefined ? {} : { project: checkProject(project) }),
    name: checkName(name),
  }
}

function parseId(prefix: string, text: string): Selector {
  if (!ID_PREFIX.test(prefix)) {
    throw invalid('ref', text, '"@" is followed by 6 to 64 hex digits of a version\'s id.')
  }
  return { kind: 'id', prefix: prefix.toLowerCase() }
}

function checkWord(text: string, what: string): string {
  if (isName(text)) return text
  const near = text
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/\.{2,}/g, '.')
    .replace(/^-+|-+$/g, '')
    .slice(0, 128)
  throw invalid(what, text, isName(near) ? `${WORD_RULE} "${near}" would do.` : WORD_RULE)
}

function invalid(what: string, text: string, hint: string): ArtifactsError {
  return new ArtifactsError('ERR_INVALID_NAME', `"${text}" is not a valid ${what}.`, { hint })
}
