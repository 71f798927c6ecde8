/**
 * A run as a program holds it: what is logged and used through it is recorded as its output and input. While the program
 * that started it is alive it says so; a run whose process died without finishing it is shown as crashed.
 */
import { ArtifactVersion } from './artifact-version.ts'
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
import type { Session } from './session.ts'
import { endLife, Heartbeat } from './store/live.ts'
import type { RunProgram } from './store/log/run-change.ts'
import type { Metadata } from './types.ts'

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
   * Records that the run uses a version; a ref without project means the run's.
   * @throws ArtifactsError ERR_NOT_FOUND, ERR_AMBIGUOUS, ERR_TYPE_MISMATCH.
   */
  async useArtifact(ref: string, options?: UseOptions): Promise<ArtifactVersion> {
    const [found] = await useVersions(this.#session(), this.id, [ref], options)
    if (found === undefined) throw new Error('Nothing was used.')
    return new ArtifactVersion(this.#session, found)
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
   * Says that the run has ended; saying so again changes nothing.
   * @throws ArtifactsError ERR_CONFLICT when it ended otherwise.
   */
  async finish(options?: FinishOptions): Promise<void> {
    const session = this.#session()
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
