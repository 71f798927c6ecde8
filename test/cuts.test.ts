/** Pushes and clones that are killed, refused or cut at each of their requests: run again, they succeed. */
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isComplete, isConsistent, type Plan, type Scene, scene, transfers } from './cuts.ts'
import type { Fault } from './sync/hostile-proxy.ts'

const test = suite('cuts')
const isFull = process.env['ARTIFACTS_TEST_FULL'] === '1'

const FAULTS: readonly Fault[] = [
  { kind: 'status', status: 500 },
  { kind: 'status', status: 503, after: '0' },
  { kind: 'status', status: 409 },
  { kind: 'status', status: 412 },
  { kind: 'html' },
  { kind: 'drop', bytes: 10 },
  { kind: 'truncate', bytes: 10 },
  { kind: 'cut', bytes: 10 },
  { kind: 'lose' },
]

/** Refuses from request `n` on: nobody tries that again. */
function refusesFrom(at: number): Plan {
  return (n) => (n >= at ? { kind: 'status', status: 403 } : undefined)
}

function killsAt(at: number): Plan {
  return (n) => (n === at ? 'kill' : undefined)
}

function failsAt(at: number, fault: Fault): Plan {
  return (n) => (n === at ? fault : undefined)
}

const undisturbed: Plan = () => undefined

function pushRuns(on: Scene, store: string, plan: Plan): Promise<number | 'killed'> {
  return on.attempt(plan, () => ['--store', join(store, '.artifacts'), 'push', '-q'])
}

/** A push that meets this plan, and another one that does not. */
async function pushTwice(plan: Plan): Promise<number> {
  await using on = await scene({ isPushed: false })
  const store = on.copy('store')
  const first = await pushRuns(on, store, plan)
  isConsistent(on.server)
  const second = await pushRuns(on, store, undisturbed)
  const requests = on.count()
  assert.is(second, 0)
  isConsistent(on.server)
  // One pack at most was under way when the first push ended.
  const again = [...transfers(on.server, 'PUT').values()].filter((times) => times > 1)
  assert.ok(again.length <= 1, `after ${first}: ${again.length} packs were sent again`)
  assert.is(await on.attempt(undisturbed, (address) => ['clone', address, 'clone', '-q']), 0)
  await isComplete(join(on.path, 'clone'))
  return requests
}

async function cloneTwice(on: Scene, name: string, plan: Plan): Promise<number> {
  const before = transfers(on.server, 'GET')
  await on.attempt(plan, (address) => ['clone', address, name, '-q'])
  assert.is(await on.attempt(undisturbed, (address) => ['clone', address, name, '-q']), 0)
  const after = [...transfers(on.server, 'GET')]
  const again = after.filter(([pack, times]) => times - (before.get(pack) ?? 0) > 2)
  assert.equal(again, [], 'a pack was fetched again that had come whole')
  await isComplete(join(on.path, name))
  return on.count()
}

/** Numbers below `count`: all of them in the long run, else `most`, other ones for each kind. */
function sampled(count: number, kind: number, most: number): number[] {
  if (isFull) return Array.from({ length: count }, (_, n) => n)
  return Array.from({ length: most }, (_, i) => (kind * 5 + Math.floor((i * count) / most)) % count)
}

test('a push is killed at each of its requests', async () => {
  const count = await requestsOfPush()
  for (const at of sampled(count, 0, 4)) await pushTwice(killsAt(at))
})

test('a push is refused from each of its requests on', async () => {
  const count = await requestsOfPush()
  for (const at of sampled(count, 1, 2)) await pushTwice(refusesFrom(at))
})

test('a clone is killed at each of its requests', async () => {
  await using on = await scene({ isPushed: true })
  await on.attempt(undisturbed, (address) => ['clone', address, 'whole', '-q'])
  const count = on.count()
  for (const at of sampled(count, 2, 4)) await cloneTwice(on, `killed-${at}`, killsAt(at))
})

test('a clone is refused from each of its requests on', async () => {
  await using on = await scene({ isPushed: true })
  await on.attempt(undisturbed, (address) => ['clone', address, 'whole', '-q'])
  const count = on.count()
  for (const at of sampled(count, 3, 2)) await cloneTwice(on, `refused-${at}`, refusesFrom(at))
})

for (const [kind, fault] of FAULTS.entries()) {
  const name = 'status' in fault ? `${fault.status}` : fault.kind

  // In the short run each fault is met by one of both.
  if (isFull || kind % 2 === 0) {
    test(`a request of a push meets ${name}`, async () => {
      const count = await requestsOfPush()
      for (const at of sampled(count, kind, 1)) await pushTwice(failsAt(at, fault))
    })
  }

  if (isFull || kind % 2 === 1) {
    test(`a request of a clone meets ${name}`, async () => {
      await using on = await scene({ isPushed: true })
      await on.attempt(undisturbed, (address) => ['clone', address, 'whole', '-q'])
      const count = on.count()
      for (const at of sampled(count, kind, 2)) {
        await cloneTwice(on, `met-${at}`, failsAt(at, fault))
      }
    })
  }
}

let pushRequests: number | undefined

async function requestsOfPush(): Promise<number> {
  if (pushRequests !== undefined) return pushRequests
  await using on = await scene({ isPushed: false })
  await pushRuns(on, on.copy('store'), undisturbed)
  pushRequests = on.count()
  return pushRequests
}

test.run()
