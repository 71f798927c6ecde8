/** Sentences about what moved between a store and a remote. */
import type { TransferReport } from '../index.ts'
import { count, listed, type Style, size } from './render.ts'

/** A handful by name, more by their number. */
export function movedList(refs: readonly string[], style: Style): string {
  if (refs.length > MOST_NAMED) return count(refs.length, 'version')
  return listed(refs.map((ref) => style.strong(ref)))
}

export function transferred({ bytes, packs, requests }: TransferReport): string {
  return `${size(bytes)} in ${count(packs, 'pack')}, ${count(requests, 'request')}`
}

const MOST_NAMED = 10
