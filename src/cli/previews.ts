/** Previews as text: a line about each file, and what is to be seen of it. */
import type { FilePreview, Outline, Preview } from '../index.ts'
import { columns, count, escaped, listed, type Style, size, thousands } from './render.ts'

const COLUMNS = 8
const CELL = 24
const LINE = 100
const OUTLINE_LINES = 20

/** Lines, indented. */
export function previewText(
  { path, size: bytes, preview, reason }: FilePreview,
  style: Style,
): string {
  const about = preview === undefined ? `not shown: ${reason}` : aboutOf(preview)
  const body = preview === undefined ? [] : bodyOf(preview, bytes)
  return [`  ${style.strong(style.name(path))}  ${size(bytes)}, ${about}`, ...indented(body)].join(
    '\n',
  )
}

function aboutOf(preview: Preview): string {
  const packed = 'packed' in preview && preview.packed !== undefined ? ', packed by gzip' : ''
  switch (preview.kind) {
    case 'text':
      return `text${packed}`
    case 'table':
      return `table of ${count(preview.columns.length, 'column')}${packed}`
    case 'values':
      return `${{ json: 'JSON', jsonl: 'lines of JSON', yaml: 'YAML' }[preview.format]}${packed}`
    case 'image':
      return `${preview.format}, ${preview.width} × ${preview.height}`
    case 'tensors':
      return `${count(preview.count, 'tensor')}, ${count(preview.elements, 'element')}${packed}`
    case 'archive': {
      const many =
        preview.count === undefined ? '' : `, ${count(preview.count, 'entry', 'entries')}`
      return `${preview.format}${many}${packed}`
    }
    case 'bytes':
      return preview.format ?? (preview.head === '' ? 'empty' : 'bytes')
    default:
      return preview satisfies never
  }
}

function bodyOf(preview: Preview, bytes: number): readonly string[] {
  switch (preview.kind) {
    case 'text':
      return [
        ...preview.lines.map((line) => cut(escaped(line), LINE)),
        ...(preview.isCut ? ['…'] : []),
      ]
    case 'table': {
      const more = preview.columns.length - COLUMNS
      const rows = [preview.columns, ...preview.rows].map((row) => [
        ...row.slice(0, COLUMNS).map((cell) => cut(escaped(cell), CELL)),
        ...(more > 0 ? ['…'] : []),
      ])
      const named =
        more > 0
          ? [`and ${listed(preview.columns.slice(COLUMNS).map((name) => escaped(name)))}`]
          : []
      return [...table(rows), ...(preview.isCut ? ['…'] : []), ...named]
    }
    case 'values':
      return outlineLines(preview.outline)
    case 'image':
      return []
    case 'tensors': {
      const rows = preview.tensors.map(({ name = '', dtype, shape }) => [
        ...(name === '' ? [] : [cut(escaped(name), LINE)]),
        escaped(dtype),
        shape.length === 0 ? 'one number' : shape.join(' × '),
      ])
      const more = preview.count - preview.tensors.length
      return [...table(rows), ...(more > 0 ? [`and ${thousands(more)} more`] : [])]
    }
    case 'archive': {
      const rows = preview.entries.map((entry) => [
        cut(escaped(entry.path), LINE),
        size(entry.size),
      ])
      return [...table(rows), ...(preview.isCut ? ['…'] : [])]
    }
    case 'bytes':
      return [
        preview.head.replace(/../g, '$& ') + (bytes * 2 > preview.head.length ? '…' : ''),
      ].map((line) => line.trimEnd())
    default:
      return preview satisfies never
  }
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  return columns(rows).split('\n').slice(0, -1)
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `    ${line}`)
}

function outlineLines(outline: Outline): readonly string[] {
  const lines: string[] = []
  addOutline(outline, '', '', lines)
  return lines.length <= OUTLINE_LINES ? lines : [...lines.slice(0, OUTLINE_LINES), '…']
}

function addOutline(outline: Outline, name: string, indent: string, lines: string[]): void {
  const { members, size: all = 0, isCut } = outline
  lines.push(`${indent}${name}${summary(outline)}`)
  if (members === undefined) return
  // Values of one kind without names say nothing each.
  if (outline.type === 'array' && members.every(({ value }) => value.members === undefined)) return
  const inside = `${indent}  `
  const shown = outline.type === 'array' ? members.slice(0, 1) : members
  for (const { key, value } of shown) {
    addOutline(value, key === undefined ? '' : `${escaped(key)}: `, inside, lines)
  }
  const more = all - shown.length
  if (more > 0 || isCut === true)
    lines.push(`${inside}${more > 0 ? `and ${thousands(more)} more` : '…'}`)
}

function summary({ type, size: members, isCut, text }: Outline): string {
  const more = isCut === true ? ' or more' : ''
  switch (type) {
    case 'object':
      return members === undefined ? 'object' : `object of ${thousands(members)}${more}`
    case 'array':
      return members === undefined ? 'list' : `list of ${thousands(members)}${more}`
    case 'string':
      return JSON.stringify(text ?? '')
    default:
      return escaped(text ?? type)
  }
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text
}
