/**
 * A run as a program holds it: what is logged and used through it is recorded as its output and input. While the program
 * that started it is alive it says so; a run whose process died without finishing it is shown as crashed.
 */
import type { Artifact } from './artifact.ts'
import type { ArtifactEntry } from './artifact-entry.ts'
import { ArtifactVersion } from './artifact-version.ts'
import { refusalOf } from './read-only.ts'
import {
  type FinishArtifactOptions,
  finishIn,
  type LogObjectOptions,
  linkIn,
  logIn,
  logObject,
  nameOfPath,
  type RunContext,
  type RunLogOptions,
  type UpsertOptions,
  upsertIn,
  useIn,
} from './run-artifacts.ts'
import {
  edgesOfRun,
  type FinishOptions,
  finishRun,
  labelRun,
  newRunId,
  type RunEdge,
  type RunLabels,
  type RunSummary,
  runRow,
  type StartRunOptions,
  startRun,
  summaryOfRun,
  type UseOptions,
  useVersions,
  versionInSlot,
} from './runs.ts'
import { type Session, versionOf } from './session.ts'
import { endLife, Heartbeat } from './store/live.ts'
import type { RunProgram } from './store/log/run-change.ts'
import type { Metadata, OperationOptions } from './types.ts'
import type { TypedValue } from './values/values.ts'

export class Run implements AsyncDisposable {
  readonly id: string
  readonly #session: () => Session
  readonly #heartbeat: Heartbeat | undefined

  /**
   * Starts a run. With `alive: false` nothing tells whether it goes on: for a run that outlives the process.
   * @throws ArtifactsError ERR_INVALID_NAME, ERR_EXISTS.
   */
  static async start(
    session: () => Session,
    options: StartRunOptions & { readonly alive?: boolean },
    onNotice: (text: string) => void,
  ): Promise<Run> {
    const { alive = true, ...rest } = options
    const id = options.id ?? newRunId()
    if (!alive || options.id !== undefined) {
      // A sign of life under an id that is taken would be somebody else's.
      await startRun(session(), rest, id)
      return new Run(session, id, alive ? beat(session(), id, onNotice) : undefined)
    }
    const heartbeat = beat(session(), id, onNotice)
    try {
      await startRun(session(), rest, id)
    } catch (error) {
      heartbeat.end()
      throw error
    }
    return new Run(session, id, heartbeat)
  }

  /** @param session asked anew for each question. */
  constructor(session: () => Session, id: string, heartbeat?: Heartbeat) {
    this.#session = session
    this.id = id
    this.#heartbeat = heartbeat
  }

  get name(): string | undefined {
    return this.#facts().name
  }

  get project(): string {
    return this.#facts().project
  }

  get entity(): string {
    return this.#session().defaults.entity
  }

  get job(): string | undefined {
    return this.#facts().job
  }

  get group(): string | undefined {
    return this.#facts().group
  }

  get tags(): readonly string[] {
    return this.#facts().tags
  }

  get notes(): string | undefined {
    return this.#facts().notes
  }

  get config(): Metadata {
    return this.#facts().config ?? {}
  }

  get startedAt(): Date {
    return new Date(this.#facts().startedAt)
  }

  get endedAt(): Date | undefined {
    const { endedAt } = this.#facts()
    return endedAt === undefined ? undefined : new Date(endedAt)
  }

  /** `crashed`: it did not say that it ended, and its process is dead. */
  get state(): RunSummary['state'] {
    return this.toJSON().state
  }

  get exitCode(): number | undefined {
    return this.#facts().exitCode
  }

  /** What it executes, as far as it was said. */
  get program(): RunProgram {
    const { command, directory, source } = this.#facts()
    return {
      ...(command === undefined ? {} : { command }),
      ...(directory === undefined ? {} : { directory }),
      ...(source === undefined ? {} : { source }),
    }
  }

  /** All facts as plain data. */
  toJSON(): RunSummary {
    const session = this.#session()
    return summaryOfRun(session, runRow(session, this.id))
  }

  /** Gives it other labels, in one operation; null takes one away. */
  async update(labels: RunLabels): Promise<this> {
    await labelRun(this.#session(), this.id, labels)
    return this
  }

  /**
   * Logs a draft, or what is at a path or URI, as an output of the run. Numbers follow the order of the calls, awaited
   * or not. A version that is there is recorded as logged by this run too.
   * @throws ArtifactsError as `store.commit`.
   */
  async logArtifact(
    what: Artifact | ArtifactVersion,
    options?: RunLogOptions,
  ): Promise<ArtifactVersion>
  /** By default the artifact is called `run-<run id>-<basename>`. */
  async logArtifact(
    path: string | URL,
    options?: LogObjectOptions & { readonly name?: string },
  ): Promise<ArtifactVersion>
  async logArtifact(
    what: Artifact | ArtifactVersion | string | URL,
    options: LogObjectOptions & { readonly name?: string } = {},
  ): Promise<ArtifactVersion> {
    if (typeof what !== 'string' && !(what instanceof URL)) {
      return this.#write(() => logIn(this.#context, what, options))
    }
    const { name = nameOfPath(this.id, what), ...rest } = options
    return this.#write(() => logObject(this.#context, name, what, rest))
  }

  /**
   * Logs a path, a URI or a value under a name of any text, which is its slot in the run; the artifact is called by the
   * same name, made one. A text is a path or a URI, never a value.
   * @throws ArtifactsError ERR_NOT_FOUND for a path that leads nowhere, ERR_INVALID_NAME, and as `logArtifact`.
   */
  async log(
    name: string,
    object: string | URL | TypedValue,
    options?: LogObjectOptions,
  ): Promise<ArtifactVersion> {
    return this.#write(() => logObject(this.#context, name, object, options))
  }

  /** Logs a path or URI as an artifact of the type `model`. */
  async logModel(
    path: string | URL,
    options?: Omit<LogObjectOptions, 'type'> & { readonly name?: string },
  ): Promise<ArtifactVersion> {
    return this.logArtifact(path, { ...options, type: 'model' })
  }

  /**
   * Records that the run uses a version; a ref without project means the run's. A draft becomes a version first, unless
   * its artifact has one with the same content.
   * @throws ArtifactsError ERR_NOT_FOUND, ERR_AMBIGUOUS, ERR_TYPE_MISMATCH.
   */
  async useArtifact(
    what: string | Artifact | ArtifactVersion,
    options?: UseOptions,
  ): Promise<ArtifactVersion> {
    return this.#write(() => useIn(this.#context, what, options))
  }

  /** As `useArtifact`, for several versions in one operation. */
  async useArtifacts(
    refs: readonly string[],
    options?: UseOptions,
  ): Promise<readonly ArtifactVersion[]> {
    return this.#write(async () => {
      const found = await useVersions(this.#session(), this.id, refs, options)
      return found.map((resolved) => new ArtifactVersion(this.#session, resolved))
    })
  }

  /** Uses a version of the type `model`; a cached read-only copy: the file if it is one, else the folder. */
  async useModel(ref: string, options?: OperationOptions): Promise<string> {
    const version = await this.useArtifact(ref, { type: 'model' })
    return version.localPath(undefined, options)
  }

  /**
   * Links a version into a portfolio, which is made if it does not exist; a draft is logged first.
   * @throws ArtifactsError ERR_NOT_FOUND, ERR_INVALID_NAME, ERR_TYPE_MISMATCH.
   */
  async linkArtifact(
    what: string | Artifact | ArtifactVersion,
    portfolio: string,
    options?: { readonly aliases?: readonly string[] },
  ): Promise<ArtifactVersion> {
    return this.#write(() => linkIn(this.#context, what, portfolio, options))
  }

  /** Logs a path or URI as a model, and links it into a portfolio. */
  async linkModel(
    path: string | URL,
    portfolio: string,
    options: { readonly name?: string; readonly aliases?: readonly string[] } = {},
  ): Promise<ArtifactVersion> {
    const { aliases, ...rest } = options
    const version = await this.logModel(path, rest)
    return this.linkArtifact(version, portfolio, aliases === undefined ? {} : { aliases })
  }

  /**
   * Adds what a draft holds to the one of this artifact that all runs of the same group, or all who pass the same
   * `distributedId`, build together: in any number of processes, at once.
   * @throws ArtifactsError ERR_USAGE without a group or id, ERR_TYPE_MISMATCH, and as `logArtifact`.
   */
  async upsertArtifact(artifact: Artifact, options?: UpsertOptions): Promise<void> {
    return this.#write(() => upsertIn(this.#context, artifact, options))
  }

  /**
   * Makes a version of what all have added, and of what the draft that is given holds; what is added next begins another.
   * All runs that added to it have logged it.
   * @throws ArtifactsError ERR_CONFLICT naming writers that disagree, ERR_NOT_FOUND where nobody has added anything.
   */
  async finishArtifact(
    artifact: Artifact,
    options?: FinishArtifactOptions,
  ): Promise<ArtifactVersion> {
    return this.#write(() => finishIn(this.#context, artifact, options))
  }

  /** Versions that it logged, each once. */
  loggedArtifacts(): AsyncIterable<ArtifactVersion> {
    return this.#versions('output')
  }

  /** Versions that it used, each once. */
  usedArtifacts(): AsyncIterable<ArtifactVersion> {
    return this.#versions('input')
  }

  /** What it logged (`output`, the default) or used, by the names that these have in the run. */
  async *artifacts({
    direction = 'output',
  }: {
    readonly direction?: RunEdge['direction']
  } = {}): AsyncGenerator<{ readonly slot: string; readonly version: ArtifactVersion }> {
    for (const edge of this.edges()) {
      if (edge.direction !== direction || edge.state !== 'live') continue
      const found = versionOf(this.#session(), `@${edge.id}`)
      yield { slot: edge.slot, version: new ArtifactVersion(this.#session, found) }
    }
  }

  /** The files of all that it logged. */
  async *files(): AsyncGenerator<ArtifactEntry> {
    for await (const version of this.loggedArtifacts()) yield* version.files()
  }

  /** The value at a path of the first version that it used and that has one there. */
  async get<T extends TypedValue = TypedValue>(path: string): Promise<T | undefined> {
    for await (const version of this.usedArtifacts()) {
      const value = await version.get<T>(path)
      if (value !== undefined) return value
    }
    return undefined
  }

  /** What it used and logged, in its order. */
  edges(): readonly RunEdge[] {
    return edgesOfRun(this.#session(), this.id)
  }

  /**
   * The version that it logged (`output`) or used (`input`) under a name; of several the newest.
   * @throws ArtifactsError ERR_NOT_FOUND.
   */
  async artifact(
    slot: string,
    { direction }: { readonly direction?: RunEdge['direction'] } = {},
  ): Promise<ArtifactVersion> {
    const found = versionInSlot(this.#session(), this.id, slot, direction)
    return new ArtifactVersion(this.#session, found)
  }

  /**
   * Says that the run has ended, when what it logs is logged; saying so again changes nothing.
   * @throws ArtifactsError ERR_CONFLICT when it ended otherwise.
   */
  async finish(options?: FinishOptions): Promise<void> {
    const session = this.#session()
    await session.queue.idle()
    await finishRun(session, this.id, options)
    this.#heartbeat?.stop()
    endLife(session.opened.io, session.opened.layout, this.id)
  }

  /** Stops saying that the run goes on, which it may do elsewhere. */
  detach(): void {
    this.#heartbeat?.stop()
  }

  /** Finishes the run where it was started; a run that was looked up goes on. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#heartbeat !== undefined && this.#facts().state === 'running') await this.finish()
  }

  get #context(): RunContext {
    return { id: this.id, session: this.#session }
  }

  async *#versions(direction: RunEdge['direction']): AsyncGenerator<ArtifactVersion> {
    const seen = new Set<string>()
    for await (const { version } of this.artifacts({ direction })) {
      if (!seen.has(version.id)) yield version
      seen.add(version.id)
    }
  }

  async #write<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step()
    } catch (error) {
      throw refusalOf(this.#session(), error)
    }
  }

  #facts(): ReturnType<typeof runRow> {
    return runRow(this.#session(), this.id)
  }
}

function beat({ opened }: Session, id: string, onNotice: (text: string) => void): Heartbeat {
  return new Heartbeat(opened.io, opened.layout, id, (error) => {
    const why = error instanceof Error ? error.message : String(error)
    onNotice(`Run "${id}" will look crashed while it goes on: ${why}`)
  })
}
