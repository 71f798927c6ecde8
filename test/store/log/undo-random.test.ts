/** Random sequences of commands: as many undos give the first state back, and undoing those gives the last. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactsError } from '../../../src/errors.ts'
import type { ArtifactRow, StateView } from '../../../src/store/index/state.ts'
import type { Change } from '../../../src/store/log/change.ts'
import { isHidden, type Plan, planCommit } from '../../../src/store/log/plan.ts'
import { planAliases } from '../../../src/store/log/plan-aliases.ts'
import { planArtifactEdit, planEdit } from '../../../src/store/log/plan-edit.ts'
import { planLink, planUnlink } from '../../../src/store/log/plan-link.ts'
import { planRemove, planRestore } from '../../../src/store/log/plan-remove.ts'
import { planRename } from '../../../src/store/log/plan-rename.ts'
import { planRunLabels } from '../../../src/store/log/plan-run.ts'
import { planUndo } from '../../../src/store/log/plan-undo.ts'
import type { Target } from '../../../src/store/log/targets.ts'
import type { ArtifactId, ObjectId } from '../../../src/types.ts'
import { memoryState, sampleIntent } from '../index/memory-state.ts'
import { sampleArtifact, sampleObject } from './samples.ts'

const test = suite('undoing random sequences')

const NAMES = ['bike', 'car', 'bus']
const PORTFOLIOS = ['top', 'team']
const RUN = {
  kind: 'run.start',
  run: 'r',
  project: 'default',
  startedAt: '2026-11-20T10:00:00.000Z',
  by: { user: 'ann', host: 'laptop' },
} as const
const ALIASES = ['latest', 'best', 'prod']
const MODES = ['add', 'remove', 'set'] as const
const TYPES = ['dataset', 'model']

const KINDS = [
  ...(['commit', 'commit', 'commit', 'alias', 'alias', 'tag', 'edit', 'retype'] as const),
  ...(['rename', 'rm', 'rm', 'restore', 'link', 'link', 'unlink', 'relabel'] as const),
]

/** Which of what there is; taken modulo its number. */
interface Command {
  readonly kind: (typeof KINDS)[number]
  readonly which: number
  readonly other: number
  readonly mode: number
}

const command: fc.Arbitrary<Command> = fc.record({
  kind: fc.constantFrom(...KINDS),
  which: fc.nat(50),
  other: fc.nat(50),
  mode: fc.nat(2),
})

test('as many undos as commands give the first state back, and undoing those the last', () => {
  let operations = 0
  fc.assert(
    fc.property(
      fc.array(command, { maxLength: 15 }),
      fc.array(command, { minLength: 1, maxLength: 25 }),
      (before, commands) => {
        const store = randomStore()
        for (const each of before) store.run(each)
        const known = store.ids()
        const first = store.content(known)
        const start = store.tip()
        for (const each of commands) store.run(each)
        const last = store.content(store.ids())
        const count = store.tip() - start
        operations += count

        for (let i = 0; i < count; i++) store.undoNewest()
        assert.equal(store.content(known), first)
        for (let i = 0; i < count; i++) store.undo(start + 2 * count - i)
        assert.equal(store.content(store.ids()), last)
      },
    ),
    { numRuns: 100, includeErrorInReport: true },
  )
  assert.ok(operations > 100, `${operations} operations are too few to say anything`)
})

type Ids = ReadonlySet<string>

interface RandomStore {
  run(command: Command): void
  undo(n: number): void
  /** What `undo` without a number does. */
  undoNewest(): void
  tip(): number
  /** Of all artifacts and versions that were ever made. */
  ids(): Ids
  /** All that is known of these, and all that is live; not by which operations it came to be so. */
  content(ids: Ids): unknown
}

function randomStore(): RandomStore {
  const { state, apply } = memoryState()
  apply(RUN)
  const log: (readonly Change[])[] = [[], [RUN]]
  const write = (plan: Plan<unknown>): void => {
    if (plan.changes.length === 0) return
    apply(...plan.changes)
    log.push(plan.changes)
  }
  const undo = (n: number): void => {
    const plan = planUndo(state, { operation: n, undone: log[n] ?? [] })
    assert.is(plan.outcome.kind, 'undone', `operation ${n}: ${JSON.stringify(plan.outcome)}`)
    write(plan)
  }
  return {
    undo,
    run(each) {
      try {
        write(planOf(state, each, log.length))
      } catch (error) {
        if (!(error instanceof ArtifactsError)) throw error
      }
    },
    undoNewest: () => undo(state.newestUndoable('ann', 'laptop')?.n ?? -1),
    tip: () => log.length - 1,
    ids: () => new Set(state.artifacts().flatMap(({ id }) => [id, ...everyId(state, id)])),
    content: (ids) => contentOf(state, ids),
  }
}

/** Plans a command on what there is; a command on nothing plans nothing. */
function planOf(state: StateView, { kind, which, other, mode }: Command, n: number): Plan<unknown> {
  const nothing = { changes: [], outcome: undefined }
  if (kind === 'commit') {
    const name = pick(NAMES, which) ?? ''
    const intent = sampleIntent(name, sampleObject(other % 6, n), {
      newArtifact: sampleArtifact(n),
      aliases: mode === 0 ? [] : [pick(ALIASES, other) ?? ''],
      tags: mode === 1 ? ['t'] : [],
      ...(mode === 2 ? { type: pick(TYPES, other) ?? '' } : {}),
      ...(which % 2 === 0 ? { run: { id: RUN.run } } : {}),
    })
    const plan = planCommit(state, intent)
    // That a run logged what was there is history, which no undo takes back.
    return plan.changes.some(({ kind }) => kind !== 'run.logs') ? plan : nothing
  }
  if (kind === 'relabel') {
    const labels = { notes: mode === 0 ? null : `n${which}`, tags: [`t${other % 4}`] }
    return planRunLabels(state, RUN.run, labels)
  }
  const artifact = pick(state.artifacts(), which)
  if (artifact === undefined) return nothing
  const { id, name } = artifact
  if (kind === 'rename') return planRename(state, { artifact: id, name: pick(NAMES, other) ?? '' })
  if (kind === 'retype') {
    return planArtifactEdit(state, {
      artifact: id,
      type: pick(TYPES, other) ?? '',
      ...(mode === 0 ? { description: `d${other % 3}` } : {}),
    })
  }
  if (kind === 'unlink') {
    const links = state.links(id).map(({ version }) => version)
    const one = pick(links, other)
    const going = mode === 0 || one === undefined ? links : [one]
    return planUnlink(state, { portfolio: id, versions: going })
  }
  const versions = state.everyVersion(id).map((row): Target => ({ version: row.id, name }))
  const target = pick(versions, other)
  if (target === undefined) return nothing
  switch (kind) {
    case 'alias': {
      const aliases = ALIASES.filter((_, i) => (which + other) & (1 << i))
      const portfolio = pick(state.linksOf(target.version), which)?.portfolio
      const of = portfolio === undefined || mode === 2 ? {} : { portfolio }
      return planAliases(state, { ...target, ...of, aliases, mode: MODES[mode] ?? 'add' })
    }
    case 'link':
      return planLink(state, {
        ...target,
        project: 'default',
        portfolio: pick(PORTFOLIOS, which) ?? '',
        newPortfolio: sampleArtifact(n),
        aliases: mode === 0 ? [] : [pick(ALIASES, other) ?? ''],
      })
    case 'tag': {
      const tags = { mode: MODES[mode] ?? 'add', tags: [`t${which % 3}`, `t${other % 4}`] }
      return planEdit(state, { ...target, tags })
    }
    case 'edit':
      return planEdit(state, {
        ...target,
        ttl: mode === 0 ? null : mode === 1 ? 'never' : which + 1,
        description: which % 3 === 0 ? '' : `d${which}`,
        metadata: { merge: { [`k${other % 3}`]: which }, unset: [`k${which % 4}`] },
      })
    case 'rm':
      return planRemove(state, {
        versions: mode === 0 ? versions : [target],
        aliases: which % 3 > 0,
      })
    case 'restore':
      return planRestore(state, mode === 0 ? versions : [target])
  }
}

function pick<T>(items: readonly T[], which: number): T | undefined {
  return items[which % items.length]
}

function everyId(state: StateView, artifact: ArtifactId): ObjectId[] {
  return state.everyVersion(artifact).map(({ id }) => id)
}

function contentOf(state: StateView, ids: Ids): unknown {
  const known = state.artifacts().filter((row) => ids.has(row.id) || !isHidden(state, row))
  const { notes, tags } = state.run(RUN.run) ?? {}
  return [{ notes, tags }, ...artifactsOf(state, known, ids)]
}

function artifactsOf(state: StateView, known: readonly ArtifactRow[], ids: Ids): unknown[] {
  return known
    .map((artifact) => ({
      ...artifact,
      aliases: state.aliases(artifact.id),
      links: state.links(artifact.id).map(({ operation: _, ...link }) => link),
      versions: state
        .everyVersion(artifact.id)
        .filter(({ id, deleted }) => ids.has(id) || deleted === undefined)
        .map(({ operation: _, updated: _u, deleted, ...row }) => ({
          ...row,
          isLive: deleted === undefined,
          tags: state.tagsOf(row.id),
        })),
    }))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}

test.run()
