/** What an examination of the store finds: each problem by the file at fault and by the files of versions it affects. */
import { relative, sep } from 'node:path'
import type { Layout } from '../layout.ts'

/** The checks, in the order in which they run. */
export const STEPS = ['format', 'log', 'index', 'packs', 'versions', 'notes'] as const
export type StepName = (typeof STEPS)[number]

export interface Problem {
  /** The check that found it. */
  readonly step: StepName
  /** The file at fault, relative to the store; absent where it is in no file. */
  readonly file?: string
  readonly message: string
  /** What can't be read because of it. */
  readonly affected: Affected
}

export interface Affected {
  /** Files of versions; of a node that is lost, at least so many. */
  readonly count: number
  /** The first ten, as `bike:v3:data/a.csv`. */
  readonly first: readonly string[]
}

const NAMED = 10
const SAID = 3

export class Problems {
  readonly #layout: Layout
  readonly #found: Draft[] = []
  readonly #byFile = new Map<string, Draft>()

  constructor(layout: Layout) {
    this.#layout = layout
  }

  get count(): number {
    return this.#found.length
  }

  /** Notes a problem of a file, absolute, or of none. A second one of the same file and check joins the first. */
  add(step: StepName, file: string | undefined, message: string): void {
    const known = file === undefined ? undefined : this.#byFile.get(file)
    if (known?.step === step) {
      known.say(message)
      return
    }
    const draft = new Draft(step, file)
    draft.say(message)
    this.#found.push(draft)
    if (file !== undefined && known === undefined) this.#byFile.set(file, draft)
  }

  has(file: string): boolean {
    return this.#byFile.has(file)
  }

  /** The files in which a check found something, absolute. */
  filesOf(step: StepName): string[] {
    return this.#found.flatMap((draft) =>
      draft.step === step && draft.file !== undefined ? [draft.file] : [],
    )
  }

  /** Notes that a file of a version can't be read because of `file`, or of something that is in no file. */
  affect(file: string | undefined, ref: string, path: string, files: number, why: string): void {
    let draft = file === undefined ? undefined : this.#byFile.get(file)
    draft ??= this.#found.find((each) => each.step === 'versions' && each.file === file)
    if (draft === undefined) {
      this.add('versions', file, why)
      draft = this.#found.at(-1) as Draft
    }
    if (draft.step === 'versions' && !draft.messages.includes(why)) draft.say(why)
    draft.count += files
    if (files > 0 && draft.first.length < NAMED)
      draft.first.push(path === '' ? ref : `${ref}:${path}`)
  }

  list(): readonly Problem[] {
    return this.#found.map((draft) => ({
      step: draft.step,
      ...(draft.file === undefined ? {} : { file: this.nameOf(draft.file) }),
      message: draft.message,
      affected: { count: draft.count, first: draft.first },
    }))
  }

  /** How a file is called in messages: relative to the store. */
  nameOf(file: string): string {
    const name = relative(this.#layout.root, file)
    return name.startsWith('..') ? file : name.replaceAll(sep, '/')
  }
}

class Draft {
  readonly step: StepName
  readonly file: string | undefined
  readonly messages: string[] = []
  readonly first: string[] = []
  count = 0
  #more = 0

  constructor(step: StepName, file: string | undefined) {
    this.step = step
    this.file = file
  }

  say(message: string): void {
    if (this.messages.length < SAID) this.messages.push(message)
    else this.#more++
  }

  get message(): string {
    const named = this.messages.join('; ')
    return this.#more === 0 ? named : `${named}; and ${this.#more} more`
  }
}
