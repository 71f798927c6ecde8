/**
 * What a request asks for. Names of a remote's files are matched as they come, without any decoding, and the paths they
 * stand for are put together from what was matched: so nothing that a request says becomes a part of a path.
 */
import type { ObjectId } from '../../types.ts'
import { Refusal } from './refusal.ts'

export type Route =
  | { readonly kind: 'format' | 'latest' | 'health' }
  | { readonly kind: 'pack'; readonly id: ObjectId }
  | { readonly kind: 'operation'; readonly n: number }
  | { readonly kind: 'segment'; readonly first: number; readonly last: number }
  | { readonly kind: 'probe'; readonly name: string }
  | { readonly kind: 'list'; readonly folder: 'packs/' | 'log/' | 'probe/'; readonly after: string }
  | { readonly kind: 'entry'; readonly ref: string; readonly path: string }

/**
 * @param target as it stands in the request
 * @returns undefined for what no server has
 */
export function routeOf(target: string): Route | undefined {
  if (!target.startsWith('/') || /[^\x21-\x7e]|[\\#]/.test(target)) {
    throw new Refusal(400, 'The address is malformed.')
  }
  const mark = target.indexOf('?')
  const name = target.slice(1, mark < 0 ? undefined : mark)
  const query = mark < 0 ? undefined : target.slice(mark + 1)
  if (name.startsWith('files/')) return entryOf(name.slice('files/'.length))
  if (query !== undefined) return listOf(name, query)
  if (name === 'format.json') return { kind: 'format' }
  if (name === 'latest.json') return { kind: 'latest' }
  if (name === 'health') return { kind: 'health' }
  const pack = /^packs\/([0-9a-f]{64})\.pack$/.exec(name)?.[1]
  if (pack !== undefined) return { kind: 'pack', id: pack as ObjectId }
  const [, first = '', last] = /^log\/(\d{12})(?:\.json|-(\d{12})\.jsonl)$/.exec(name) ?? []
  if (last !== undefined) return { kind: 'segment', first: Number(first), last: Number(last) }
  if (Number(first) > 0) return { kind: 'operation', n: Number(first) }
  return /^probe\/[0-9a-f]{32}$/.test(name) ? { kind: 'probe', name } : undefined
}

function listOf(name: string, query: string): Route | undefined {
  if (name !== 'packs/' && name !== 'log/' && name !== 'probe/') return undefined
  const values = new URLSearchParams(query)
  if (values.get('list') !== '') return undefined
  return { kind: 'list', folder: name, after: values.get('after') ?? '' }
}

/**
 * A ref is one part of the path, its own slashes written as `%2F`. One that ends with a version or an alias may have them
 * as they are: it ends with the first part that holds `:` or `@`.
 */
function entryOf(rest: string): Route | undefined {
  const parts = rest.split('/').map(decoded)
  const end = parts.slice(0, LONGEST_REF).findIndex((part) => /[:@]/.test(part))
  const ref = parts.slice(0, end + 1 || 1).join('/')
  const path = parts.slice(end + 1 || 1).join('/')
  return ref === '' || path === '' ? undefined : { kind: 'entry', ref, path }
}

/** `entity/project/name` */
const LONGEST_REF = 3

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch (error) {
    if (!(error instanceof URIError)) throw error
    throw new Refusal(400, 'The address is malformed.')
  }
}
