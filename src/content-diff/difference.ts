/** What differs inside two files, as plain data. */
import type { Json } from '../types.ts'

export type ContentDifference =
  | TextDifference
  | ValuesDifference
  | TableDifference
  | TensorsDifference
  | ImageDifference
  | BytesDifference

/** What every kind of difference may say. */
interface Remarks {
  /** What a reader should know: why the files were not compared as their name says, or what was left out. */
  readonly notes: readonly string[]
}

/** Lines, as `diff -u` shows them. */
export interface TextDifference extends Remarks {
  readonly kind: 'text'
  /** Lines. */
  readonly added: number
  readonly removed: number
  readonly hunks: readonly Hunk[]
}

/** Lines are counted from 1. Each begins with ` `, `+`, `-`, or `\` for "No newline at end of file". */
export interface Hunk {
  readonly beforeStart: number
  readonly beforeLines: number
  readonly afterStart: number
  readonly afterLines: number
  readonly lines: readonly string[]
}

/** Values of JSON or YAML, by JSON Pointer (RFC 6901). */
export interface ValuesDifference extends Remarks {
  readonly kind: 'values'
  readonly format: 'json' | 'yaml'
  readonly added: number
  readonly removed: number
  readonly changed: number
  /** In the order of the documents. */
  readonly changes: readonly ValueChange[]
  /** How many more there are. */
  readonly omitted: number
}

/**
 * What replaced, removed and added, in this order, makes one document of the other: values that changed are replaced
 * where they were (`from`, where that is not `path`), values are removed from the last to the first, and added from the first to the last. A number
 * that JavaScript can't hold as written is a text here.
 */
export type ValueChange =
  | { readonly kind: 'added'; readonly path: string; readonly after: Json }
  | { readonly kind: 'removed'; readonly path: string; readonly before: Json }
  | {
      readonly kind: 'changed'
      readonly path: string
      readonly from?: string
      readonly before: Json
      readonly after: Json
    }

/** Rows of tables, compared in the columns that both have. */
export interface TableDifference extends Remarks {
  readonly kind: 'table'
  readonly format: 'csv' | 'tsv' | 'parquet'
  readonly columns: ColumnsDifference
  /** Columns that say which row is which; none: rows were compared as multisets. */
  readonly key: readonly string[]
  readonly rows: { readonly before: number; readonly after: number }
  readonly added: number
  readonly removed: number
  readonly changed: number
  /** In the order of the files. */
  readonly changes: readonly RowChange[]
  /** How many more rows there are. */
  readonly omitted: number
}

export interface ColumnsDifference {
  readonly before: readonly string[]
  readonly after: readonly string[]
  readonly added: readonly string[]
  readonly removed: readonly string[]
  /** Whether those that both have come in another order. */
  readonly reordered: boolean
  /** Of Parquet: columns whose type changed. */
  readonly retyped: readonly {
    readonly name: string
    readonly before: string
    readonly after: string
  }[]
}

/** Cells as texts, by column; `count` says how often a row is there. */
export type RowChange =
  | { readonly kind: 'added'; readonly count: number; readonly after: Row }
  | { readonly kind: 'removed'; readonly count: number; readonly before: Row }
  | {
      readonly kind: 'changed'
      readonly count: number
      readonly key: Row
      /** Only cells that changed. */
      readonly before: Row
      readonly after: Row
    }

export type Row = Readonly<Record<string, string>>

/** Arrays of numbers, by name. */
export interface TensorsDifference extends Remarks {
  readonly kind: 'tensors'
  readonly format: 'safetensors' | 'npy'
  readonly added: number
  readonly removed: number
  readonly changed: number
  readonly unchanged: number
  readonly tensors: readonly TensorChange[]
  readonly omitted: number
  /** Texts that the header has beside the tensors. */
  readonly metadata: readonly ValueChange[]
}

export interface TensorShape {
  readonly dtype: string
  readonly shape: readonly number[]
}

/** The array of a `.npy` file has the name ``. */
export interface TensorChange {
  readonly kind: 'added' | 'removed' | 'changed'
  readonly name: string
  readonly before?: TensorShape
  readonly after?: TensorShape
  /** Where both have the same type and shape. */
  readonly values?: TensorValues
}

export interface TensorValues {
  readonly elements: number
  /** Elements whose bits differ. */
  readonly changed: number
  /** Largest absolute difference; absent where no changed element is a finite number on both sides. */
  readonly max?: number
  /** Sum of the absolute differences of changed elements that are finite on both sides, divided by `elements`; absent as `max` is, and where it is no finite number. */
  readonly mean?: number
  /** Changed elements that are not finite on one side at least. */
  readonly notFinite: number
}

export interface ImageDifference extends Remarks {
  readonly kind: 'image'
  readonly before: ImageFacts
  readonly after: ImageFacts
  /** Where both could be decoded and have the same size. */
  readonly pixels?: {
    readonly total: number
    readonly changed: number
    /** Largest and mean difference of a channel, 0 to 255. */
    readonly max: number
    readonly mean: number
  }
}

export interface ImageFacts {
  readonly format: string
  readonly width: number
  readonly height: number
}

/** Bytes, by the chunks that both files do not have in common. */
export interface BytesDifference extends Remarks {
  readonly kind: 'bytes'
  readonly before: BytesFacts
  readonly after: BytesFacts
}

export interface BytesFacts {
  /** Bytes. */
  readonly size: number
  /** Bytes in chunks that the other file does not have. */
  readonly own: number
}
