/** Terms and what they find. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Metadata } from '../../src/index.ts'
import { rejects } from '../support/rejects.ts'
import { type Workspace, workspace } from './workspace.ts'

const test = suite('find')

interface Made {
  readonly name: string
  readonly type?: string
  readonly metadata?: Metadata
  readonly tags?: readonly string[]
  readonly aliases?: readonly string[]
  readonly description?: string
  readonly size?: number
}

async function storeWith(versions: readonly Made[]): Promise<Workspace> {
  const space = await workspace()
  space.store.settings.set('durability', 'process')
  for (const [n, { size = 10, ...labels }] of versions.entries()) {
    const data = space.write('data', { 'a.txt': `${n}`.padEnd(size, '.') })
    await space.store.commit([data], { jobs: 0, ...labels })
  }
  return space
}

const MODELS: readonly Made[] = [
  { name: 'bike', description: 'The first bikes', tags: ['raw'], size: 2000 },
  {
    name: 'model',
    type: 'model',
    metadata: { acc: 0.5, lr: 'high', deep: { n: 1 } },
    tags: ['a b'],
  },
  {
    name: 'model',
    type: 'model',
    metadata: {
      acc: 0.95,
      kinds: ['road', 'city'],
      'deep.n': 7,
      ok: true,
      none: null,
      code: '007',
    },
    tags: ['prod', 'a b'],
    aliases: ['best'],
  },
  { name: 'zoo/model', type: 'model', metadata: { acc: '0.99' } },
]

/** Which of MODELS each list of terms finds: refs, the newest first. */
const FOUND: readonly (readonly [readonly string[], readonly string[]])[] = [
  [[], ['zoo/model:v0', 'model:v1', 'model:v0', 'bike:v0']],
  [['type=model'], ['zoo/model:v0', 'model:v1', 'model:v0']],
  [['type!=model'], ['bike:v0']],
  [['type=Model'], []],
  [
    ['name=model', 'project=default'],
    ['model:v1', 'model:v0'],
  ],
  [['BIK'], ['bike:v0']],
  [['name!~ode'], ['bike:v0']],
  [['tag=prod'], ['model:v1']],
  [['tag=a b', 'tag!=prod'], ['model:v0']],
  [['tag~RA'], ['bike:v0']],
  [['alias=best'], ['model:v1']],
  [['alias!=latest'], ['model:v0']],
  [['description~FIRST'], ['bike:v0']],
  [['description='], ['zoo/model:v0', 'model:v1', 'model:v0']],
  [['version>=v1'], ['model:v1']],
  [
    ['version=0', 'type=model'],
    ['zoo/model:v0', 'model:v0'],
  ],
  [['bytes>1.9kB'], ['bike:v0']],
  [['bytes<=10'], ['zoo/model:v0', 'model:v1', 'model:v0']],
  [['files=1', 'bike'], ['bike:v0']],
  [['meta.acc>0.9'], ['model:v1']],
  [['meta.acc>=0.5'], ['model:v1', 'model:v0']],
  [['meta.acc<0.9'], ['model:v0']],
  [['meta.acc=0.50'], ['model:v0']],
  [['meta.acc="0.99"'], ['zoo/model:v0']],
  [['meta.acc'], ['zoo/model:v0', 'model:v1', 'model:v0']],
  [
    ['meta.acc!=0.5', 'type=model'],
    ['zoo/model:v0', 'model:v1'],
  ],
  [['meta.lr~IG'], ['model:v0']],
  [['meta.lr>a'], ['model:v0']],
  [['meta.kinds=city'], ['model:v1']],
  [
    ['meta.kinds!~oad', 'meta.acc'],
    ['zoo/model:v0', 'model:v0'],
  ],
  [['meta.deep.n=1'], ['model:v0']],
  [['meta.deep.n=7'], ['model:v1']],
  [['meta.deep={"n":1}'], ['model:v0']],
  [['meta.ok=true'], ['model:v1']],
  [['meta.none=null'], ['model:v1']],
  [['meta.code=007'], ['model:v1']],
  [['meta.__proto__'], []],
  [['meta.toString~f'], []],
  [['created>2020', 'created<3000-01-01', 'bike'], ['bike:v0']],
  [['created>1h', 'bike'], ['bike:v0']],
  [['created<1h'], []],
  [['user!=nobody-at-all', 'bike'], ['bike:v0']],
  [['run.job=train'], []],
]

test('terms find what they say', async () => {
  await using space = await storeWith(MODELS)
  for (const [terms, refs] of FOUND) {
    const found = await space.store.find(terms)
    assert.equal(
      found.map(({ ref }) => ref),
      refs,
      terms.join(' '),
    )
  }
})

test('what is found has all facts, and no more of them than wanted', async () => {
  await using space = await storeWith(MODELS)
  const { store } = space
  assert.equal(
    await store.find(['tag=prod']),
    store.history().filter(({ ref }) => ref === 'model:v1'),
  )
  assert.equal(
    (await store.find([], { limit: 2 })).map(({ ref }) => ref),
    ['zoo/model:v0', 'model:v1'],
  )
})

test('versions are found by the run that logged them', async () => {
  await using space = await storeWith([{ name: 'bike' }])
  const { store } = space
  const train = { name: 'night run', job: 'train', tags: ['gpu', 'big'], notes: 'with Ünicode' }
  const run = await store.startRun({
    ...train,
    group: 'g',
    config: { lr: 0.01, net: { depth: 5 } },
  })
  const other = await store.startRun({ job: 'train', project: 'vision' })
  const log = async (by: string, text: string): Promise<void> => {
    const data = space.write(`data-${text}`, { 'a.txt': text })
    await store.commit([data], { name: 'model', run: by, jobs: 0 })
  }
  await log(run.id, 'one')
  await log(other.id, 'two')
  await run.finish({ failed: true })
  const cases: readonly (readonly [readonly string[], readonly string[]])[] = [
    [['run.job=train'], ['vision/model:v0', 'model:v0']],
    [['run.job=train', 'run.project=vision'], ['vision/model:v0']],
    [['run.job'], ['vision/model:v0', 'model:v0']],
    [['run.group!=g'], ['vision/model:v0']],
    [['run.name~NIGHT'], ['model:v0']],
    [['run.tag=gpu', 'run.tag=big'], ['model:v0']],
    [['run.tag!=gpu'], ['vision/model:v0']],
    [['run.config.lr<0.1'], ['model:v0']],
    [['run.config.net.depth=5'], ['model:v0']],
    [['run.config.lr<0.1', 'run.project=vision'], []],
    [['run.state=failed'], ['model:v0']],
    [['run.state=running'], ['vision/model:v0']],
    [[`run.id=${run.id}`], ['model:v0']],
    [
      ['run.started>1h', 'run.user!=nobody-at-all'],
      ['vision/model:v0', 'model:v0'],
    ],
    [['run.job!=train'], []],
  ]
  for (const [terms, refs] of cases) {
    assert.equal(
      (await store.find(terms)).map(({ ref }) => ref),
      refs,
      terms.join(' '),
    )
  }
  const { rows } = await store.sql(
    'SELECT r.name, r.group_name, r.state, r.outputs, e.direction, e.slot, e.ref FROM runs r JOIN edges e ON e.run = r.id ORDER BY r.operation',
  )
  assert.equal(
    [...rows],
    [
      ['night run', 'g', 'failed', 1, 'output', 'model', 'model:v0'],
      [null, null, 'running', 1, 'output', 'model', 'vision/model:v0'],
    ],
  )
})

test('ids are found by their beginning, deleted versions not at all', async () => {
  await using space = await storeWith(MODELS)
  const { store } = space
  const { id, digest } = store.version('model:v1')
  for (const term of [`id=${id.slice(0, 8)}`, `digest=${digest}`]) {
    assert.equal(
      (await store.find([term])).map(({ ref }) => ref),
      ['model:v1'],
    )
  }
  await store.remove(['model:v1'], { aliases: true })
  assert.equal(await store.find(['meta.acc>0.9']), [])
})

test('a day is all of it', async () => {
  await using space = await storeWith([{ name: 'bike' }])
  const { store } = space
  const { createdAt } = store.version('bike')
  const day = createdAt.slice(0, 10)
  const counts = async (...terms: string[]): Promise<number> => (await store.find(terms)).length
  for (const period of [createdAt, createdAt.slice(0, 16), day, day.slice(0, 7), day.slice(0, 4)]) {
    const found = await Promise.all(
      ['=', '>', '>=', '<', '<='].map((operator) => counts(`created${operator}${period}`)),
    )
    assert.equal(found, [1, 0, 1, 0, 1], period)
  }
})

test('terms that mean nothing are refused, with the term', async () => {
  await using space = await storeWith([])
  for (const term of [
    '',
    '=x',
    'colour=red',
    'meta.acc>true',
    'name>b',
    'bytes~1',
    'bytes>much',
    'files=',
    'version=x',
    'created>yesterday',
    'created=2026-02-31',
    'created~2026',
    'id=12',
    'id>123456',
    'run.colour=red',
  ]) {
    const error = await rejects(space.store.find([term]), 'ERR_USAGE')
    const value = /[^=~<>]*$/.exec(term)?.[0] ?? ''
    assert.ok(
      error.message.includes(`"${term}"`) || error.message.includes(`"${value}"`),
      error.message,
    )
    assert.ok(error.hint)
  }
})

test.run()
