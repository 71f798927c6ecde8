/** UPDATE_DOCS=1 makes docs/diff.png anew. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { diffAsHtml, Store } from '../../src/index.ts'
import { findChromium } from '../support/chromium/chromium.ts'
import { temporaryDirectory } from '../support/temp.ts'

const test = suite('a diff as a page')

type Files = Readonly<Record<string, string | Uint8Array>>

/** The page of a diff between two versions with these files, as a file. */
async function pageOf(
  dir: string,
  before: Files,
  after: Files,
): Promise<{ url: string; text: string }> {
  const { store } = await Store.init(dir)
  for (const [name, files] of Object.entries({ a: before, b: after })) {
    mkdirSync(join(dir, name))
    for (const [path, content] of Object.entries(files))
      writeFileSync(join(dir, name, path), content)
    await store.commit([join(dir, name)], { name: 'bike', jobs: 0 })
  }
  const diff = await store.diff({ ref: 'bike:v0' }, { ref: 'bike:v1' })
  let text = ''
  for await (const piece of diffAsHtml(diff, diff.contents({ keys: ['id'] }))) text += piece
  store.close()
  const file = join(dir, 'page.html')
  writeFileSync(file, text)
  return { url: pathToFileURL(file).href, text }
}

/** Counts what a browser asks of it. */
async function listen(): Promise<{ url: string; asked: string[]; close(): void }> {
  const asked: string[] = []
  const server = createServer(({ url = '' }, response) => {
    asked.push(url)
    response.end(`document.title = 'ran'`)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, asked, close: () => server.close() }
}

/** What would load, run or change the look of a page, if it were markup there. */
function hostile(url: string): string {
  return [
    `<script src="${url}/script"></script><script>document.title = 'ran'</script>`,
    `<img src=${url}/img onerror="document.title='ran'"><svg onload="document.title='ran'">`,
    `'"><link rel=stylesheet href=${url}/css><style>@import '${url}/style'</style>`,
    `</pre></details></body><iframe src="${url}/frame"></iframe><a href="javascript:1">&lt;</a>`,
    '\u202eright to left\u0000\u001b[2J\ud800',
  ].join('')
}

test('hostile names and contents are text; the page asks nobody anything', async () => {
  const chromium = findChromium()
  if (chromium === undefined) return
  await using directory = await temporaryDirectory()
  const server = await listen()
  try {
    const text = hostile(server.url)
    const cell = `"${text.replaceAll('"', '""')}"`
    const name = `<script>document.title='ran'<`
    const { url, text: page } = await pageOf(
      directory.path,
      { [`${name}.csv`]: `id,v\n1,a\n`, 'a.json': '{"a":1}', 'a.txt': 'x\n' },
      {
        [`${name}.csv`]: `id,v\n1,${cell}\n${cell},b\n`,
        'a.json': JSON.stringify({ [text]: 1, a: text }),
        'a.txt': `x\n${text.replace('\0', '')}\n`,
        [`${name}.new`]: '',
      },
    )
    const dom = await chromium.dom(url)
    assert.equal(server.asked, [])
    assert.not.match(dom, /<(script|img|svg|link|iframe|a)\b/)
    assert.match(dom, '<title>bike:v0 → bike:v1</title>')
    assert.match(dom, '&lt;iframe src=')
    for (const unseen of ['\u202e', '\u001b', '\0']) assert.is(page.includes(unseen), false)
    // Where the same would be markup it does ask, so that this test can fail.
    const control = join(directory.path, 'control.html')
    writeFileSync(control, `<!doctype html><title>t</title>${text}`)
    const ran = await chromium.dom(pathToFileURL(control).href)
    assert.match(ran, '<title>ran</title>')
    assert.ok(server.asked.includes('/img'))
    // What got through the escaping would still be stopped by the page's policy.
    server.asked.length = 0
    const leaky = join(directory.path, 'leaky.html')
    writeFileSync(leaky, page.replace('</body>', text))
    assert.match(await chromium.dom(pathToFileURL(leaky).href), '<title>bike:v0')
    assert.equal(server.asked, [])
  } finally {
    server.close()
  }
})

test('the page shows what it should', async () => {
  const chromium = findChromium()
  if (chromium === undefined) return
  await using directory = await temporaryDirectory()
  const { url, text } = await pageOf(directory.path, BEFORE, AFTER)
  const dom = await chromium.dom(url)
  // The browser has read it as it was written: no element was closed, moved or left out.
  const words = (html: string): string =>
    html
      .replace(/<style>.*?<\/style>|<[^>]*>/gs, ' ')
      .replace(/&quot;/g, '"')
      .replace(/&#39;/g, "'")
      .replace(/\s+/g, ' ')
      .trim()
  assert.is(words(dom), words(text))
  assert.match(words(dom), '3 modified, 1 renamed')
  assert.match(
    dom,
    /<tr class="changed"><td>~<\/td><th>1042<\/th><td><del>car<\/del> <ins>bicycle<\/ins><\/td>/,
  )
  assert.match(dom, '<span class="removed">-Photos of cars.\n</span>')
  const file = process.env['UPDATE_DOCS'] ? 'docs/diff.png' : join(directory.path, 'page.png')
  await chromium.picture(url, file, [1000, 710])
})

const ROWS = Array.from(
  { length: 2000 },
  (_, i) => `${1000 + i},${['bicycle', 'car'][i % 2]},0.${90 - (i % 40)}`,
)
const label = (rows: readonly string[]): string => `id,label,confidence\n${rows.join('\n')}\n`
const BEFORE: Files = {
  'README.md': '# Bikes\n\nPhotos of cars.\n\nLicence: CC0\n',
  'labels.csv': label(ROWS).replace('1042,bicycle', '1042,car'),
  'train.json': JSON.stringify({
    epochs: 10,
    optimizer: { name: 'adam', lr: 0.001 },
    seeds: [1, 2, 3],
  }),
  'old.txt': 'a list that keeps its content while its name changes, as lists do now and then\n',
}
const AFTER: Files = {
  'README.md': '# Bikes\n\nPhotos of bicycles and cars.\n\nLicence: CC0\n',
  'labels.csv': `${label(ROWS.toSpliced(7, 1)).replace('1500,bicycle,0.70', '1500,car,0.99')}3000,bicycle,0.97\n`,
  'train.json': JSON.stringify({
    epochs: 12,
    optimizer: { name: 'adam', lr: 0.0003, amsgrad: true },
    seeds: [1, 3],
  }),
  'new.txt': 'a list that keeps its content while its name changes, as lists do now and then\n',
}

test.run()
