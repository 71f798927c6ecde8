/**
 * What every backend promises (docs/remote.md section 2): one suite for all of them, bare and in wrappers. Reading is
 * asked of all; writing and listing of those that can.
 */
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import type { Test } from 'uvu'
import * as assert from 'uvu/assert'
import { ArtifactsError } from '../../src/errors.ts'
import { type Backend, type ListedFile, readAll } from '../../src/sync/backend.ts'
import { bytesSource, type Source } from '../../src/sync/source.ts'
import { rejects } from '../support/rejects.ts'

export interface Opened extends AsyncDisposable {
  readonly backend: Backend
}

export interface Subject {
  /** Such as `file, retrying`. */
  readonly name: string
  /** A new remote that holds these files and no others. */
  open(files: Readonly<Record<string, Uint8Array>>): Promise<Opened>
  /** Files can be put and deleted. Default: true. */
  readonly writes?: boolean
  /** Default: true. */
  readonly lists?: boolean
  /** False: the remote overwrites in spite of the condition, or knows none. */
  readonly excludes?: boolean
  /** Where any bytes may be put; default: packs, of any size. A remote that looks at packs takes none that are none. */
  readonly free?: Free
}

interface Free {
  /** Three names in one folder. */
  readonly names: readonly string[]
  /** Of the longest file. */
  readonly most: number
  /** Default: different bytes for `log/<round>`. */
  readonly contenders?: (opened: Opened, round: number) => Promise<Contenders>
}

/** Files that want to be the one of a name. */
export interface Contenders {
  readonly name: string
  readonly bodies: readonly Uint8Array[]
}

const MOST = 64 * 2 ** 20
/** Beside the edges: more than one piece, and more than sockets hold. */
const SIZES = [0, 1, 65_536, 300_001, 5_000_000]
const PACKS = Array.from({ length: 4 }, (_, i) => `packs/${String(i).repeat(64)}.pack`)
const [PACK = '', ANOTHER = ''] = PACKS
const ANYWHERE: Free = { names: PACKS.slice(0, 3), most: Number.POSITIVE_INFINITY }

export function conformance(test: Test, subject: Subject): void {
  const { name, open, writes = true, lists = true, excludes = true, free = ANYWHERE } = subject
  const promise = (title: string, run: () => Promise<void>): void => test(`${name}: ${title}`, run)

  promise('gives the bytes that are there, and their length', async () => {
    const files = Object.fromEntries(
      SIZES.map((size, i) => [`packs/${String(i).repeat(64)}.pack`, randomBytes(size)]),
    )
    await using opened = await open(files)
    for (const [each, bytes] of Object.entries(files)) {
      assert.equal(await opened.backend.head(each), { size: bytes.length })
      const content = await opened.backend.get(each)
      assert.is(content.size, bytes.length)
      assert.ok(bytes.equals(await collect(content.bytes)))
    }
  })

  promise('gives any range of a file, and no bytes beside it', async () => {
    const bytes = randomBytes(700_000)
    await using opened = await open({ [PACK]: bytes })
    const ranges = [
      [0, 1],
      [0, 700_000],
      [699_999, 700_000],
      [1, 400_000],
      [350_000, 350_010],
    ]
    for (const [start = 0, end = 0] of ranges) {
      const content = await opened.backend.get(PACK, { range: { start, end } })
      assert.is(content.size, end - start)
      assert.ok(bytes.subarray(start, end).equals(await collect(content.bytes)), `${start}-${end}`)
    }
    for (const [start = 0, end = 0] of [
      [699_999, 700_001],
      [700_000, 700_001],
      [9e6, 9e6 + 5],
    ]) {
      await rejects(opened.backend.get(PACK, { range: { start, end } }), 'ERR_INVALID_VALUE')
    }
  })

  promise('says what is absent', async () => {
    await using opened = await open({ [PACK]: randomBytes(10) })
    const error = await rejects(opened.backend.get(ANOTHER), 'ERR_NOT_FOUND')
    assert.ok(error.message.includes(opened.backend.address + ANOTHER), error.message)
    await rejects(opened.backend.get(ANOTHER, { range: { start: 0, end: 1 } }), 'ERR_NOT_FOUND')
    assert.is(await opened.backend.head(ANOTHER), undefined)
    assert.is(await opened.backend.head('log/000000000001.json'), undefined)
  })

  promise(
    'goes on after files that were not read to their end, and reads many at once',
    async () => {
      const bytes = randomBytes(3_000_000)
      await using opened = await open({ [PACK]: bytes })
      for (let i = 0; i < 20; i++) {
        const content = await opened.backend.get(PACK)
        for await (const _ of content.bytes) break
      }
      const all = await Promise.all(
        Array.from({ length: 24 }, () => readAll(opened.backend, PACK, { most: MOST })),
      )
      assert.ok(all.every((each) => bytes.equals(each)))
    },
  )

  promise('does not give more than is wanted', async () => {
    await using opened = await open({ [PACK]: randomBytes(2000) })
    await rejects(readAll(opened.backend, PACK, { most: 1999 }), 'ERR_DAMAGED')
    assert.is((await readAll(opened.backend, PACK, { most: 2000 })).length, 2000)
  })

  promise('stops when it is told to', async () => {
    await using opened = await open({ [PACK]: randomBytes(5_000_000) })
    const stop = new AbortController()
    stop.abort(new Error('enough'))
    const outcome = opened.backend.get(PACK, { signal: stop.signal })
    assert.is(
      await outcome.then(
        () => 'came',
        (error: Error) => error.message,
      ),
      'enough',
    )
  })

  promise('takes no name that leads elsewhere', async () => {
    await using opened = await open({})
    for (const bad of [
      '../x',
      'packs/../../x',
      '/x',
      'packs//x',
      '',
      'a\\..\\x',
      'packs/.x',
      'x?y',
      'ä',
    ]) {
      const outcome = await opened.backend.get(bad).then(
        () => 'came',
        (error: unknown) => error,
      )
      assert.ok(outcome instanceof Error && !(outcome instanceof ArtifactsError), bad)
    }
  })

  if (!writes) {
    promise('refuses to be written to, and names itself', async () => {
      await using opened = await open({ [PACK]: randomBytes(10) })
      const { backend } = opened
      for (const ask of [
        () => backend.put(ANOTHER, bytesSource('x')),
        () => backend.putIfAbsent(ANOTHER, bytesSource('x')),
        () => backend.delete(PACK),
      ]) {
        const error = await rejects(ask(), 'ERR_READ_ONLY')
        assert.ok(error.message.includes(backend.address), error.message)
      }
      assert.equal(await backend.head(PACK), { size: 10 })
    })
  }
  if (writes) conformanceOfWriting(promise, { open, lists, excludes, free })
  if (lists) conformanceOfLists(promise, { open, writes })
}

type PromiseOf = (title: string, run: () => Promise<void>) => void

function conformanceOfWriting(
  promise: PromiseOf,
  { open, lists, excludes, free }: Pick<Required<Subject>, 'open' | 'lists' | 'excludes' | 'free'>,
): void {
  const [first = '', second = ''] = free.names
  const folder = first.slice(0, first.indexOf('/') + 1)
  promise('keeps what is put, and replaces what was there', async () => {
    await using opened = await open({})
    for (const size of SIZES.filter((each) => each <= free.most)) {
      const bytes = randomBytes(size)
      await opened.backend.put(first, bytesSource(bytes))
      assert.ok(bytes.equals(await readAll(opened.backend, first, { most: MOST })))
    }
  })

  promise('removes files, also those that are absent', async () => {
    await using opened = await open({ [first]: randomBytes(10), [second]: randomBytes(11) })
    await opened.backend.delete(first)
    await opened.backend.delete(first)
    assert.is(await opened.backend.head(first), undefined)
    assert.equal(await opened.backend.head(second), { size: 11 })
  })

  promise(
    'shows no part of a file: neither while it is replaced nor after its source failed',
    async () => {
      await using opened = await open({})
      const { backend } = opened
      const size = Math.min(400_000, free.most)
      const letters = ['a', 'b'].map((letter) => bytesSource(letter.repeat(size)))
      for (const source of letters) await backend.put(first, source)
      const writing = (async () => {
        for (let i = 0; i < 10; i++) for (const source of letters) await backend.put(first, source)
      })()
      for (let i = 0; i < 20; i++) {
        const text = (await readAll(backend, first, { most: MOST })).toString()
        assert.ok(text === 'a'.repeat(size) || text === 'b'.repeat(size))
      }
      await writing
      for (const source of [failingSource(), lyingSource()]) {
        for (const kind of ['put', 'putIfAbsent'] as const) {
          const put = backend[kind](second, source)
          assert.ok(
            (await put.then(
              () => 'done',
              (error: unknown) => error,
            )) instanceof Error,
          )
          assert.is(await backend.head(second), undefined)
        }
      }
    },
  )

  if (excludes) {
    promise('makes a file only where there is none', async () => {
      await using opened = await open({})
      const { backend } = opened
      assert.is(await backend.putIfAbsent(first, bytesSource('first')), 'created')
      assert.is(await backend.putIfAbsent(first, bytesSource('other')), 'exists')
      assert.is(await backend.putIfAbsent(first, bytesSource('first')), 'exists')
      assert.is(String(await readAll(backend, first, { most: MOST })), 'first')
      await backend.put(first, bytesSource('third'))
      assert.is(await backend.putIfAbsent(first, bytesSource('')), 'exists')
      assert.is(String(await readAll(backend, first, { most: MOST })), 'third')
    })

    promise('has one winner where many make a file at once', async () => {
      await using opened = await open({})
      for (let round = 1; round <= 6; round++) {
        const { name, bodies } = await (free.contenders ?? letters)(opened, round)
        const answers = await Promise.all(
          bodies.map((body) => opened.backend.putIfAbsent(name, bytesSource(body))),
        )
        assert.is(answers.filter((answer) => answer === 'created').length, 1)
        const winner = Buffer.from(bodies[answers.indexOf('created')] ?? [])
        assert.ok(winner.equals(await readAll(opened.backend, name, { most: MOST })))
      }
    })
  }

  promise('does whatever a table of files would do', async () => {
    const { names } = free
    const name = fc.constantFrom(...names)
    const bytes = fc.uint8Array({ maxLength: 40 }).map((each) => Buffer.from(each))
    const step = fc.oneof(
      fc.record({ kind: fc.constant('put' as const), name, bytes }),
      fc.record({
        kind: fc.constant(excludes ? ('make' as const) : ('put' as const)),
        name,
        bytes,
      }),
      fc.record({ kind: fc.constant('delete' as const), name, bytes }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        await using opened = await open({})
        const { backend } = opened
        const table = new Map<string, Buffer>()
        for (const { kind, name, bytes } of steps) {
          if (kind === 'delete') {
            await backend.delete(name)
            table.delete(name)
          } else if (kind === 'put') {
            await backend.put(name, bytesSource(bytes))
            table.set(name, bytes)
          } else {
            const expected = table.has(name) ? 'exists' : 'created'
            assert.is(await backend.putIfAbsent(name, bytesSource(bytes)), expected)
            if (expected === 'created') table.set(name, bytes)
          }
        }
        for (const each of names) {
          const held = table.get(each)
          assert.equal(await backend.head(each), held && { size: held.length })
          if (held) assert.ok(held.equals(await readAll(backend, each, { most: MOST })))
        }
        if (lists) {
          const listed = (await listAll(backend, folder)).map(({ name }) => name)
          assert.equal(listed, [...table.keys()].sort())
        }
      }),
      { numRuns: 12 },
    )
  })
}

function conformanceOfLists(
  promise: PromiseOf,
  { open, writes }: Pick<Required<Subject>, 'open' | 'writes'>,
): void {
  promise('lists the files of a folder in order, with what is known of them', async () => {
    const before = Date.now()
    const files = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [
        `packs/${`${'ba'[i % 2]}${i}f`.padEnd(64, '0')}.pack`,
        randomBytes(i),
      ]),
    )
    await using opened = await open({ ...files, [`probe/${'0'.repeat(32)}`]: randomBytes(5) })
    const listed = await listAll(opened.backend, 'packs/')
    assert.equal(
      listed.map(({ name, size }) => [name, size]),
      Object.keys(files)
        .sort()
        .map((name) => [name, files[name]?.length]),
    )
    // Clocks of servers tell seconds. A tar has no times.
    assert.ok(listed.every(({ modified }) => !writes || Math.abs(modified - before) < 60_000))
    const [, , third] = listed
    const rest = await listAll(opened.backend, 'packs/', third?.name)
    assert.equal(rest, listed.slice(3))
    assert.equal(await listAll(opened.backend, 'packs/', 'packs/zzz'), [])
    assert.equal(await listAll(opened.backend, 'log/'), [])
  })

  promise('lists more files than fit into one answer', async () => {
    const names = Array.from(
      { length: 1005 },
      (_, i) => `packs/${String(i).padStart(64, '0')}.pack`,
    )
    await using opened = await open(Object.fromEntries(names.map((name) => [name, Buffer.of(7)])))
    const listed = await listAll(opened.backend, 'packs/')
    assert.equal(
      listed.map(({ name }) => name),
      names,
    )
  })
}

export async function listAll(
  backend: Backend,
  folder: string,
  after?: string,
): Promise<ListedFile[]> {
  const all: ListedFile[] = []
  for await (const file of backend.list(folder, { after })) all.push(file)
  return all
}

async function letters(_: Opened, round: number): Promise<Contenders> {
  const name = `log/${String(round).padStart(12, '0')}.json`
  return {
    name,
    bodies: Array.from({ length: 12 }, (_, i) => Buffer.alloc(round * 9000, i + 65)),
  }
}

async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Buffer[] = []
  for await (const piece of bytes) all.push(Buffer.from(piece))
  return Buffer.concat(all)
}

/** Breaks off in the middle. */
function failingSource(): Source {
  return {
    ...bytesSource(randomBytes(300_000)),
    *pieces() {
      yield Buffer.alloc(100_000)
      throw new Error('the disk is gone')
    },
  }
}

/** Has other bytes than its hash says. */
function lyingSource(): Source {
  return { ...bytesSource(randomBytes(300_000)), pieces: () => [Buffer.alloc(300_000)] }
}
