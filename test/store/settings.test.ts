import fs from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createIo } from '../../src/store/io/io.ts'
import { type Layout, layoutOf } from '../../src/store/layout.ts'
import { Settings, settingKeys } from '../../src/store/settings.ts'
import { throwsCode } from '../support/rejects.ts'
import { temporaryDirectory } from '../support/temp.ts'

const test = suite('settings')
const io = createIo({ durability: 'process' })

async function withLayout<T>(use: (layout: Layout) => T): Promise<T> {
  await using dir = await temporaryDirectory()
  const layout = layoutOf(join(dir.path, '.artifacts'))
  fs.mkdirSync(layout.tmp, { recursive: true })
  return use(layout)
}

test('what is not set has its default', async () => {
  await withLayout((layout) => {
    const settings = new Settings(layout)
    assert.equal(
      settings.list().map(({ key, value, from }) => [key, value, from]),
      [
        ['bundle.signer', '', 'default'],
        ['cache.dir', '', 'default'],
        ['cache.maxBytes', '20GB', 'default'],
        ['durability', 'power', 'default'],
        ['entity', '', 'default'],
        ['fetch', 'asked', 'default'],
        ['gc.grace', '14d', 'default'],
        ['primary', '', 'default'],
        ['project', 'default', 'default'],
        ['references.hosts', '', 'default'],
      ],
    )
    assert.not.ok(fs.existsSync(layout.config))
  })
})

test('a value that was set is there for whoever opens the store next', async () => {
  await withLayout((layout) => {
    const before = new Settings(layout)
    const after = before.set('project', 'bikes', io).set('durability', 'process', io)
    assert.is(after.get('project'), 'bikes')
    assert.is(new Settings(layout).get('durability'), 'process')
    assert.is(before.get('project'), 'default')
    assert.is(after.list().find(({ key }) => key === 'project')?.from, 'store')
    assert.equal(JSON.parse(fs.readFileSync(layout.config, 'utf8')), {
      project: 'bikes',
      durability: 'process',
    })
    assert.equal(fs.readdirSync(layout.tmp), [])
  })
})

test('a key that does not exist and a value that does not fit are refused', async () => {
  await withLayout((layout) => {
    const settings = new Settings(layout)
    for (const key of ['colour', '__proto__', 'constructor', '']) {
      assert.match(throwsCode(() => settings.get(key), 'ERR_CONFIG').message, `"${key}"`)
      throwsCode(() => settings.set(key, 'x', io), 'ERR_CONFIG')
    }
    for (const [key, value] of [
      ['durability', 'none'],
      ['project', 'a b'],
      ['project', ''],
      ['entity', 'a/b'],
    ] as const) {
      const error = throwsCode(() => settings.set(key, value, io), 'ERR_CONFIG')
      assert.match(error.message, `"${value}"`)
      assert.match(error.message, key)
    }
    assert.not.ok(fs.existsSync(layout.config))
  })
})

test('settings of a later program are kept and not minded', async () => {
  await withLayout((layout) => {
    fs.writeFileSync(layout.config, '{"gc.grace":"14d","project":"p"}')
    const settings = new Settings(layout).set('entity', 'ann', io)
    assert.equal(
      settings.list().map(({ key }) => key),
      [...settingKeys()],
    )
    assert.equal(JSON.parse(fs.readFileSync(layout.config, 'utf8')), {
      'gc.grace': '14d',
      project: 'p',
      entity: 'ann',
    })
  })
})

test('a file that holds anything else is refused, naming it', async () => {
  const texts = [
    '',
    'x',
    '[]',
    'null',
    '"x"',
    '{"project":1}',
    '{"project":"a b"}',
    '{"durability":"x"}',
  ]
  await withLayout((layout) => {
    for (const text of texts) {
      fs.writeFileSync(layout.config, text)
      const error = throwsCode(() => new Settings(layout), 'ERR_CONFIG')
      const named = `${error.message} ${error.hint}`
      assert.ok(named.includes(layout.config) || named.includes('setting'), `${text}: ${named}`)
    }
  })
})

test('hosts are names or addresses, with a port or without', async () => {
  await withLayout((layout) => {
    const settings = new Settings(layout)
    for (const value of ['minio.lan', '10.0.0.5:9000,[::1]:80,a', '']) {
      assert.is(settings.set('references.hosts', value, io).get('references.hosts'), value)
    }
    for (const value of ['http://minio.lan', 'a b', 'a/b']) {
      throwsCode(() => settings.set('references.hosts', value, io), 'ERR_CONFIG')
    }
  })
})

test('what is set of remotes is listed by name, and goes as a whole', async () => {
  await withLayout((layout) => {
    const url = 'https://host/x/'
    const both = new Settings(layout).change(
      { 'remote.b.c.url': url, 'remote.b.c.single-writer': 'true', primary: 'b.c' },
      io,
    )
    const all = both.set('remote.a.url', 's3://bucket/x', io)
    assert.equal(all.remotes(), ['b.c', 'a'])
    assert.equal(
      all
        .list()
        .map(({ key }) => key)
        .slice(-3),
      ['remote.a.url', 'remote.b.c.single-writer', 'remote.b.c.url'],
    )
    assert.is(all.get('remote.b.c.url'), url)
    assert.is(all.get('remote.none.single-writer'), 'false')
    const gone = { 'remote.b.c.url': undefined, 'remote.b.c.single-writer': undefined }
    const one = all.change({ ...gone, primary: undefined }, io)
    assert.equal(one.remotes(), ['a'])
    assert.is(one.get('primary'), '')
  })
})

test('of a remote that is not there nothing is set, and no address with a secret, nor is it repeated', async () => {
  await withLayout((layout) => {
    const settings = new Settings(layout)
    for (const [key, value] of [
      ['primary', 'a'],
      ['remote.a.single-writer', 'true'],
      ['remote.a.url', 'https://user:hunter2@host/'],
      ['remote.a.url', 's3://key:hunter2@bucket/x'],
      ['remote.a.url', 'https://host/x?token=hunter2'],
      ['remote.a.url', './here'],
      ['remote.a..b.url', 'https://host/'],
    ] as const) {
      const error = throwsCode(() => settings.set(key, value, io), 'ERR_CONFIG')
      assert.not.match(error.message + error.hint, 'hunter2')
    }
    assert.not(fs.existsSync(layout.config))
  })
})

test('settings that somebody else has set meanwhile stay', async () => {
  await withLayout((layout) => {
    const [mine, theirs] = [new Settings(layout), new Settings(layout)]
    theirs.set('project', 'bikes', io)
    assert.is(mine.set('entity', 'me', io).get('project'), 'bikes')
  })
})

test.run()
