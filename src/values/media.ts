/**
 * Images, sounds, videos, pages, 3D objects and plots: a file, and what is said of it. Nothing here looks at pixels or
 * sounds.
 */
import { readFile } from 'node:fs/promises'
import { ArtifactsError } from '../errors.ts'
import type { ImageSize } from './image-size.ts'
import { MEDIA_TYPES, type MediaKind } from './kinds.ts'
import { readAll, type ValueSource } from './value-files.ts'

/** What the numbers in masks and boxes mean. */
export type Classes = readonly { readonly id: number; readonly name: string }[]

export interface Box {
  readonly position: {
    readonly minX: number
    readonly minY: number
    readonly maxX: number
    readonly maxY: number
  }
  /** What positions count: pixels, or else fractions of the image. */
  readonly domain?: 'pixel' | 'fraction'
  readonly classId: number
  readonly caption?: string
  readonly scores?: Readonly<Record<string, number>>
}

/** The path of a local file, bytes, or a file that a version or draft has already. */
export type MediaFile = string | Uint8Array | { readonly files: ValueSource; readonly path: string }

/** An image whose pixels are class numbers. */
export interface Mask {
  readonly source: MediaFile
  readonly classes?: Classes
}

export interface MediaOptions {
  readonly caption?: string
  /** The file's ending without a dot, where the source's name does not say it. */
  readonly format?: string
  /** Of an image whose bytes do not say it. */
  readonly size?: ImageSize
  readonly classes?: Classes
  /** By name, such as `predictions`; like classes and boxes of images only. */
  readonly masks?: Readonly<Record<string, Mask>>
  readonly boxes?: Readonly<Record<string, readonly Box[]>>
}

export class Media {
  readonly kind: MediaKind
  readonly source: MediaFile
  readonly caption: string | undefined
  readonly format: string
  /** Of an image, when it was read from a version or draft. */
  readonly size: ImageSize | undefined
  /** Those of the image and those of its masks. */
  readonly classes: Classes | undefined
  readonly masks: Readonly<Record<string, Mask>> | undefined
  readonly boxes: Readonly<Record<string, readonly Box[]>> | undefined

  /** @throws ArtifactsError ERR_INVALID_VALUE for a format, classes or boxes that can't be. */
  constructor(kind: MediaKind, source: MediaFile, options: MediaOptions = {}) {
    if (!Object.hasOwn(MEDIA_TYPES, kind)) throw invalid(`"${kind}" is no kind of media`)
    const { caption, classes, masks, boxes } = options
    const ofImages = classes ?? masks ?? boxes
    if (kind !== 'image' && ofImages !== undefined) {
      throw invalid(`only images have classes, masks and boxes, and this is of the kind "${kind}"`)
    }
    this.kind = kind
    this.source = source
    this.caption = caption
    this.format = options.format ?? formatOf(source) ?? USUAL_FORMAT[kind] ?? 'bin'
    if (!/^[A-Za-z0-9]{1,16}$/.test(this.format)) throw invalid(`"${this.format}" is no ending`)
    this.size = options.size
    this.masks = masks
    this.classes = allClasses([classes, ...Object.values(masks ?? {}).map((mask) => mask.classes)])
    this.boxes = boxes && checkedBoxes(boxes)
  }

  /** The file. @throws ArtifactsError ERR_NOT_FOUND, and errors of the system for a local file. */
  bytes(): Promise<Uint8Array> {
    return mediaBytes(this.source)
  }

  /** The image of one mask; undefined where there is none of this name. */
  async maskBytes(name: string): Promise<Uint8Array | undefined> {
    const mask = Object.entries(this.masks ?? {}).find(([each]) => each === name)?.[1]
    return mask && mediaBytes(mask.source)
  }
}

/** The bytes that a file of media has. */
export async function mediaBytes(file: MediaFile): Promise<Uint8Array> {
  if (typeof file === 'string') return readFile(file)
  return file instanceof Uint8Array ? file : readAll(file.files, file.path)
}

const USUAL_FORMAT: Readonly<Partial<Record<MediaKind, string>>> = {
  image: 'png',
  html: 'html',
  object3d: 'json',
  bokeh: 'json',
}

function formatOf(file: MediaFile): string | undefined {
  if (file instanceof Uint8Array) return undefined
  return /\.([A-Za-z0-9]{1,16})$/.exec(typeof file === 'string' ? file : file.path)?.[1]
}

/** One name for each id; the order is that of the first mention. */
function allClasses(sets: readonly (Classes | undefined)[]): Classes | undefined {
  const names = new Map<number, string>()
  for (const { id, name } of sets.flatMap((set) => set ?? [])) {
    if (!Number.isSafeInteger(id)) throw invalid(`a class has the id "${id}", which is no integer`)
    const other = names.get(id)
    if (other !== undefined && other !== name) {
      throw invalid(`the class ${id} has two names, "${other}" and "${name}"`)
    }
    names.set(id, name)
  }
  if (sets.every((set) => set === undefined)) return undefined
  return Array.from(names, ([id, name]) => ({ id, name }))
}

function checkedBoxes(
  boxes: NonNullable<MediaOptions['boxes']>,
): NonNullable<MediaOptions['boxes']> {
  const entries = Object.entries(boxes).map(([name, all]) => [name, all.map(checkedBox)] as const)
  return Object.fromEntries(entries)
}

/** The box, without what goes without saying. */
function checkedBox({ position, domain, classId, caption, scores }: Box): Box {
  const { minX, minY, maxX, maxY } = position
  const numbers = [minX, minY, maxX, maxY, classId, ...Object.values(scores ?? {})]
  if (!numbers.every(Number.isFinite)) throw invalid('a box has a number that is not finite')
  if (!Number.isSafeInteger(classId)) throw invalid(`a box has the class "${classId}"`)
  return {
    position: { minX, minY, maxX, maxY },
    ...(domain === 'pixel' ? { domain } : {}),
    classId,
    ...(caption === undefined ? {} : { caption }),
    ...(scores === undefined ? {} : { scores }),
  }
}

function invalid(why: string): ArtifactsError {
  return new ArtifactsError('ERR_INVALID_VALUE', `These media can't be stored: ${why}.`)
}
