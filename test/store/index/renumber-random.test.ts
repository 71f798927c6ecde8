/** Random operations that add, renumber and delete versions and links, beside a model of a few maps. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Change, VersionAdd } from '../../../src/store/log/change.ts'
import type { ArtifactId, ObjectId } from '../../../src/types.ts'
import { sampleArtifact, sampleObject, sampleVersion } from '../log/samples.ts'
import { memoryState } from './memory-state.ts'

const test = suite('fold of random renumberings')

const BIKE = sampleArtifact('bike')
const SHELF = sampleArtifact('shelf')
const VERSIONS = Array.from({ length: 8 }, (_, i) => sampleVersion(BIKE, 0, sampleObject(i)))
const HIGHEST = 14

/** What has numbers: the versions of an artifact, or the links of a portfolio. */
interface Numbered {
  readonly of: ArtifactId
  readonly numbers: Map<ObjectId, number>
  /** Links that were removed, by the numbers that they keep. */
  readonly removed: Map<number, ObjectId>
  /** By number: what left it, the last one last. */
  readonly left: Map<number, readonly ObjectId[]>
  next: number
}

interface Step {
  readonly kind: 'add' | 'move' | 'remove'
  readonly of: 'bike' | 'shelf'
  readonly which: number
  readonly number: number
  /** Whether the number is taken as it is, be it free or not. */
  readonly isWild: boolean
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('add', 'move', 'move', 'move', 'remove'),
  of: fc.constantFrom('bike', 'shelf'),
  which: fc.nat(VERSIONS.length - 1),
  number: fc.nat(HIGHEST),
  isWild: fc.nat(9).map((n) => n === 0),
})

test('numbers are those of the model, and an operation that breaks a rule changes nothing', () => {
  let moved = 0
  let refused = 0
  fc.assert(
    fc.property(
      fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { maxLength: 20 }),
      (ops) => {
        const { state, apply, connection } = memoryState()
        apply(create(BIKE, 'bike'), { ...create(SHELF, 'shelf'), portfolio: true })
        let model = { bike: numbered(BIKE), shelf: numbered(SHELF) }
        for (const [number, { version }] of VERSIONS.slice(0, 5).entries()) {
          apply({ ...(VERSIONS[number] as VersionAdd), number })
          apply({ kind: 'link.add', portfolio: SHELF, version, number })
          for (const numbers of [model.bike.numbers, model.shelf.numbers])
            numbers.set(version, number)
          model.bike.next = model.shelf.next = number + 1
        }
        for (const steps of ops) {
          const trial = { bike: copy(model.bike), shelf: copy(model.shelf) }
          const course = { added: new Set<string>(), noted: new Set<string>() }
          const changes: Change[] = []
          const isRight = steps.every((drawn) => {
            const each = drawn.isWild ? drawn : { ...drawn, number: freeNumber(drawn, trial) }
            changes.push(changeOf(each, trial))
            return play(each, trial, course)
          })
          if (!isRight) {
            assert.throws(() => apply(...changes))
            refused++
          } else {
            apply(...changes)
            moved += changes.filter(({ kind }) => kind === 'version.renumber').length
            model = trial
          }
          for (const { of, numbers, left, next } of Object.values(model)) {
            assert.is(state.nextNumber(of), next)
            for (let number = 0; number <= HIGHEST; number++) {
              const found = state.renumbered(of, number).map(({ version }) => version)
              assert.equal(found, (left.get(number) ?? []).toReversed(), `what left v${number}`)
            }
            const rows = of === BIKE ? state.versions(of) : state.links(of)
            const ids = rows.map((row) => ['version' in row ? row.version : row.id, row.number])
            const expected = [...numbers].sort(([, a], [, b]) => a - b)
            assert.equal(ids, expected)
            for (const [id, number] of numbers) {
              if (of === BIKE) assert.is(state.versionByNumber(of, number)?.id, id)
              else assert.is(state.linkOf(of, id)?.number, number)
            }
          }
        }
        connection.close()
      },
    ),
    { numRuns: 150 },
  )
  assert.ok(moved > 50 && refused > 50, `${moved} moved, ${refused} refused`)
})

interface Model {
  readonly bike: Numbered
  readonly shelf: Numbered
}

function changeOf({ kind, of, which, number }: Step, model: Model): Change {
  const add = VERSIONS[which]
  if (add === undefined) throw new Error('no version')
  const { version } = add
  const old = placeOf(model[of], version) ?? HIGHEST + 1
  if (kind === 'move')
    return { kind: 'version.renumber', artifact: model[of].of, version, number, old }
  const link = { portfolio: SHELF, version }
  if (of === 'bike') return { ...add, number }
  return kind === 'add'
    ? { kind: 'link.add', ...link, number }
    : { kind: 'link.remove', ...link, number: old }
}

function freeNumber({ of, number }: Step, model: Model): number {
  const { numbers, removed } = model[of]
  const given = new Set([...numbers.values(), ...removed.keys()])
  const free = Array.from({ length: HIGHEST + 1 }, (_, i) => i).filter((i) => !given.has(i))
  return free[number % free.length] ?? number
}

/** The number of a version, else one that a removed link of it has. */
function placeOf({ numbers, removed }: Numbered, version: ObjectId): number | undefined {
  return numbers.get(version) ?? [...removed].find(([, id]) => id === version)?.[0]
}

/** In the operation. */
interface Course {
  readonly added: Set<string>
  readonly noted: Set<string>
}

/** False where a rule forbids it. */
function play({ kind, of, which, number }: Step, model: Model, course: Course): boolean {
  const here = model[of]
  const { numbers, removed, left } = here
  const version = VERSIONS[which]?.version as ObjectId
  const key = `${of} ${version}`
  const at = numbers.get(version)
  const isGiven = removed.has(number) || [...numbers.values()].includes(number)
  if (kind === 'remove' && of === 'shelf') {
    if (at === undefined) return false
    numbers.delete(version)
    removed.set(at, version)
    return true
  }
  if (kind === 'move') {
    const old = placeOf(here, version)
    if (old === undefined || isGiven) return false
    if (at === undefined) {
      removed.delete(old)
      removed.set(number, version)
    } else {
      numbers.set(version, number)
      if (!course.added.has(key) && !course.noted.has(key)) {
        left.set(old, [...(left.get(old) ?? []), version])
        course.noted.add(key)
      }
    }
  } else {
    const comesBack = removed.get(number) === version
    if (at !== undefined || (isGiven && !comesBack)) return false
    if (of === 'shelf' && !model.bike.numbers.has(version)) return false
    removed.delete(number)
    numbers.set(version, number)
    course.added.add(key)
  }
  here.next = Math.max(here.next, number + 1)
  return true
}

function numbered(of: ArtifactId): Numbered {
  return { of, numbers: new Map(), left: new Map(), removed: new Map(), next: 0 }
}

function copy({ of, numbers, left, removed, next }: Numbered): Numbered {
  return { of, numbers: new Map(numbers), left: new Map(left), removed: new Map(removed), next }
}

function create(artifact: ArtifactId, name: string): Extract<Change, { kind: 'artifact.create' }> {
  return { kind: 'artifact.create', artifact, project: 'p', name, type: 'model' }
}

test.run()
