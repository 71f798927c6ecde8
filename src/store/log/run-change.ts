/**
 * The changes of runs (docs/format.md section 6). What a run did is history: it starts, finishes, uses and logs versions
 * once, and only what it is called can be another later.
 */
import * as v from 'valibot'
import type { Metadata, ObjectId } from '../../types.ts'
import {
  metadataSchema,
  nameSchema,
  objectIdSchema,
  replacing,
  runIdSchema,
  someTagsSchema,
  textSchema,
  timeSchema,
} from './schemas.ts'

/** What a run is called and said to be, or some of it; null: not set. */
export interface RunLabels {
  readonly name?: string | null
  readonly job?: string | null
  readonly group?: string | null
  readonly notes?: string | null
  readonly tags?: readonly string[] | null
  readonly config?: Metadata | null
}

/** The commit of a git repository that a run's program came from. */
export interface RunSource {
  /** Of git: hex digits. */
  readonly commit: string
  readonly branch?: string
  readonly remote?: string
  /** Files that git knows differ from the commit. */
  readonly dirty: boolean
  /** How they differ: a patch. */
  readonly patch?: string
}

/** What a run executes. */
export interface RunProgram {
  readonly command?: readonly string[]
  /** The current directory. */
  readonly directory?: string
  readonly source?: RunSource
}

export interface RunStart extends RunProgram {
  readonly kind: 'run.start'
  readonly run: string
  readonly project: string
  readonly startedAt: string
  readonly by: { readonly user: string; readonly host: string }
  readonly name?: string
  readonly job?: string
  readonly group?: string
  readonly notes?: string
  readonly tags?: readonly string[]
  readonly config?: Metadata
}

export interface RunUpdate {
  readonly kind: 'run.update'
  readonly run: string
  readonly set: RunLabels
  /** What the keys of `set` were before. */
  readonly old: RunLabels
}

export interface RunFinish {
  readonly kind: 'run.finish'
  readonly run: string
  readonly state: 'finished' | 'failed'
  readonly endedAt: string
  readonly exitCode?: number
}

interface RunEdge {
  readonly run: string
  /** The name that the edge has in the run. */
  readonly slot: string
  /** It may be one that this store does not have. */
  readonly version: ObjectId
  /** What such a version is called where it is: `project/name:vN`. */
  readonly name?: string
}

export interface RunUses extends RunEdge {
  readonly kind: 'run.uses'
}

export interface RunLogs extends RunEdge {
  readonly kind: 'run.logs'
  /** The content was there: another run, or none, had made the version. */
  readonly deduplicated?: true
}

export type RunChange = RunStart | RunUpdate | RunFinish | RunUses | RunLogs

const labels = v.strictObject({
  name: v.exactOptional(v.nullable(textSchema)),
  job: v.exactOptional(v.nullable(textSchema)),
  group: v.exactOptional(v.nullable(textSchema)),
  notes: v.exactOptional(v.nullable(v.string())),
  tags: v.exactOptional(v.nullable(someTagsSchema)),
  config: v.exactOptional(v.nullable(metadataSchema)),
})

const edge = {
  run: runIdSchema,
  slot: textSchema,
  version: objectIdSchema,
  name: v.exactOptional(textSchema),
}

type RunSchemas = {
  readonly [K in RunChange['kind']]: v.GenericSchema<
    unknown,
    Extract<RunChange, { readonly kind: K }>
  >
}

export const RUN_SCHEMAS: RunSchemas = {
  'run.start': v.strictObject({
    kind: v.literal('run.start'),
    run: runIdSchema,
    project: nameSchema,
    startedAt: timeSchema,
    by: v.strictObject({ user: v.string(), host: v.string() }),
    name: v.exactOptional(textSchema),
    job: v.exactOptional(textSchema),
    group: v.exactOptional(textSchema),
    notes: v.exactOptional(v.string()),
    tags: v.exactOptional(someTagsSchema),
    config: v.exactOptional(metadataSchema),
    command: v.exactOptional(v.pipe(v.array(v.string()), v.minLength(1))),
    directory: v.exactOptional(v.string()),
    source: v.exactOptional(
      v.strictObject({
        commit: v.pipe(v.string(), v.regex(/^[0-9a-f]{40,64}$/)),
        branch: v.exactOptional(v.string()),
        remote: v.exactOptional(v.string()),
        dirty: v.boolean(),
        patch: v.exactOptional(v.string()),
      }),
    ),
  }),
  'run.update': replacing(
    v.strictObject({ kind: v.literal('run.update'), run: runIdSchema, set: labels, old: labels }),
  ),
  'run.finish': v.strictObject({
    kind: v.literal('run.finish'),
    run: runIdSchema,
    state: v.picklist(['finished', 'failed']),
    endedAt: timeSchema,
    exitCode: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255))),
  }),
  'run.uses': v.strictObject({ kind: v.literal('run.uses'), ...edge }),
  'run.logs': v.strictObject({
    kind: v.literal('run.logs'),
    ...edge,
    deduplicated: v.exactOptional(v.literal(true)),
  }),
}
