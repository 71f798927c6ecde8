/** The JSON document beside a file of media, in W&B's form, and the files that belong to it. */
import { createHash } from 'node:crypto'
import * as v from 'valibot'
import { ArtifactsError } from '../errors.ts'
import type { Json } from '../types.ts'
import { imageSize } from './image-size.ts'
import { jsonText } from './json-text.ts'
import { MEDIA_TYPES, type MediaKind } from './kinds.ts'
import { type Box, type Classes, type Mask, Media } from './media.ts'
import { type Attachments, addMedia } from './media-file.ts'
import { readJson, type ValueSource } from './value-files.ts'

/** Adds the files of `media` and returns its document. @throws ArtifactsError, and errors of the system for local files. */
export async function mediaDocument(media: Media, to: Attachments): Promise<Json> {
  const { kind, format, caption, classes, masks, boxes } = media
  const { head, ...file } = await addMedia(media.source, FOLDERS[kind], format, to)
  const size = kind === 'image' ? (imageSize(head) ?? media.size) : undefined
  return {
    _type: MEDIA_TYPES[kind],
    ...file,
    format,
    ...(size === undefined ? {} : { width: size.width, height: size.height }),
    ...(caption === undefined ? {} : { caption }),
    ...(classes === undefined ? {} : { classes: addClasses(classes, to) }),
    ...(boxes === undefined ? {} : { boxes: boxesJson(boxes) }),
    ...(masks === undefined ? {} : { masks: await masksJson(masks, to) }),
  }
}

/** The media that a document describes; only their classes are read. @throws ArtifactsError ERR_INVALID_VALUE. */
export async function mediaFrom(json: Json, files: ValueSource, where: string): Promise<Media> {
  const parsed = v.safeParse(DOCUMENT, json)
  if (!parsed.success) throw invalid(where, v.flatten(parsed.issues))
  const { _type, path, width, height } = parsed.output
  const { format, caption, classes, boxes, masks } = withoutNull(parsed.output)
  const kind = KINDS.get(_type)
  if (kind === undefined) throw invalid(where, { root: [`"${_type}" is no kind of media`] })
  return new Media(
    kind,
    { files, path },
    {
      ...(typeof width === 'number' && typeof height === 'number'
        ? { size: { width, height } }
        : {}),
      ...(format === undefined ? {} : { format }),
      ...(caption === undefined ? {} : { caption }),
      ...(classes === undefined ? {} : { classes: await classesFrom(classes, files) }),
      ...(boxes === undefined ? {} : { boxes: boxesFrom(boxes) }),
      ...(masks === undefined ? {} : { masks: await masksFrom(masks, files) }),
    },
  )
}

const FOLDERS: Readonly<Record<MediaKind, string>> = {
  image: 'media/images',
  audio: 'media/audio',
  video: 'media/videos',
  html: 'media/html',
  object3d: 'media/object3D',
  bokeh: 'media/bokeh',
}

const KINDS: ReadonlyMap<string, MediaKind> = new Map(
  Object.entries(MEDIA_TYPES).map(([kind, type]) => [type, kind as MediaKind]),
)

/** An object by its fields: valibot's records leave out what is called `constructor`. */
const fields = <Value extends v.GenericSchema>(
  value: Value,
): v.GenericSchema<unknown, [string, v.InferOutput<Value>][]> =>
  v.pipe(
    v.custom<object>(
      (input) => typeof input === 'object' && input !== null && !Array.isArray(input),
    ),
    v.transform(Object.entries),
    v.array(v.tuple([v.string(), value])),
  )

const path = v.pipe(v.string(), v.minLength(1))
const stored = v.object({ path })
const number = v.pipe(v.number(), v.finite())
const corners = v.object({ minX: number, minY: number, maxX: number, maxY: number })
const middle = v.object({ middle: v.tuple([number, number]), width: number, height: number })
const BOX = v.object({
  position: v.union([corners, middle]),
  domain: v.nullish(v.string()),
  class_id: v.pipe(v.number(), v.safeInteger()),
  box_caption: v.nullish(v.string()),
  scores: v.nullish(fields(number)),
})
const CLASS_SET = v.object({
  class_set: v.array(v.object({ id: v.pipe(v.number(), v.safeInteger()), name: v.string() })),
})
const DOCUMENT = v.object({
  _type: v.string(),
  path,
  width: v.nullish(number),
  height: v.nullish(number),
  format: v.nullish(v.string()),
  caption: v.nullish(v.string()),
  classes: v.nullish(stored),
  boxes: v.nullish(fields(v.array(BOX))),
  masks: v.nullish(fields(v.object({ path, classes: v.exactOptional(stored) }))),
})

/** W&B writes null for some of what is not there. */
function withoutNull<T extends object>(record: T): { [Key in keyof T]: Exclude<T[Key], null> } {
  const entries = Object.entries(record).filter(([, value]) => value !== null)
  return Object.fromEntries(entries) as { [Key in keyof T]: Exclude<T[Key], null> }
}

async function masksJson(masks: Readonly<Record<string, Mask>>, to: Attachments): Promise<Json> {
  const all: [string, Json][] = []
  for (const [name, { source, classes }] of Object.entries(masks)) {
    const { head: _, ...file } = await addMedia(source, `${FOLDERS.image}/mask`, 'mask.png', to)
    const document = classes === undefined ? file : { ...file, classes: addClasses(classes, to) }
    all.push([name, { _type: 'mask', ...document }])
  }
  return Object.fromEntries(all)
}

async function masksFrom(
  masks: readonly (readonly [string, { path: string; classes?: { path: string } }])[],
  files: ValueSource,
): Promise<Record<string, Mask>> {
  const all: [string, Mask][] = []
  for (const [name, { path, classes }] of masks) {
    const source = { files, path }
    const mask =
      classes === undefined ? { source } : { source, classes: await classesFrom(classes, files) }
    all.push([name, mask])
  }
  return Object.fromEntries(all)
}

function addClasses(classes: Classes, to: Attachments): Json {
  const set = classes.map(({ id, name }) => ({ id, name }))
  const id = createHash('md5').update(jsonText(set, 'classes')).digest('hex')
  const path = `media/classes/${id}_cls.classes.json`
  const bytes = Buffer.from(`${jsonText({ _type: 'classes', class_set: set }, path)}\n`)
  to.add({ path, bytes })
  return { type: 'classes-file', path, digest: createHash('md5').update(bytes).digest('base64') }
}

async function classesFrom({ path }: { path: string }, files: ValueSource): Promise<Classes> {
  const parsed = v.safeParse(CLASS_SET, await readJson(files, path))
  if (parsed.success) return parsed.output.class_set
  throw invalid(path, v.flatten(parsed.issues))
}

function boxesJson(boxes: Readonly<Record<string, readonly Box[]>>): Json {
  return Object.fromEntries(Object.entries(boxes).map(([name, all]) => [name, all.map(boxJson)]))
}

function boxJson({ position, domain, classId, caption, scores }: Box): Json {
  return {
    position,
    ...(domain === undefined ? {} : { domain }),
    class_id: classId,
    ...(caption === undefined ? {} : { box_caption: caption }),
    ...(scores === undefined ? {} : { scores }),
  }
}

function boxesFrom(
  boxes: readonly (readonly [string, readonly v.InferOutput<typeof BOX>[]])[],
): Record<string, readonly Box[]> {
  return Object.fromEntries(boxes.map(([name, all]) => [name, all.map(boxFrom)]))
}

function boxFrom(box: v.InferOutput<typeof BOX>): Box {
  const { position, domain, class_id, box_caption, scores } = box
  return {
    position: 'middle' in position ? cornersOf(position) : position,
    ...(domain === 'pixel' ? { domain } : {}),
    classId: class_id,
    ...(typeof box_caption === 'string' ? { caption: box_caption } : {}),
    ...(scores === undefined || scores === null ? {} : { scores: Object.fromEntries(scores) }),
  }
}

function cornersOf({
  middle: [x, y],
  width,
  height,
}: v.InferOutput<typeof middle>): Box['position'] {
  return { minX: x - width / 2, minY: y - height / 2, maxX: x + width / 2, maxY: y + height / 2 }
}

function invalid(
  where: string,
  { root, nested }: { root?: readonly string[]; nested?: object },
): ArtifactsError {
  const [field, faults] = Object.entries(nested ?? {})[0] ?? ['it', root]
  return new ArtifactsError(
    'ERR_INVALID_VALUE',
    `"${where}" describes no media: "${field}": ${faults}.`,
    {
      hint: 'Read its bytes instead of its value: `artifacts cat REF PATH`.',
    },
  )
}
