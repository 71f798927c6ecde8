/** Plants violations beside a copy of the linter's configuration: a rule that matches nothing guards nothing. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const ROOT = join(import.meta.dirname, '../..')

/** Per layer and depth of folders: what a file may import, and what it may not. */
const LAYERS: Readonly<Record<string, { may: readonly string[]; mayNot: readonly string[] }>> = {
  'src/names.ts': {
    may: ['./types.ts', './errors.ts'],
    mayNot: ['./store.ts', './index.ts', './store/layout.ts', './cli/bin.ts', 'node:fs', 'yargs'],
  },
  'src/store/planted.ts': {
    may: ['../types.ts', '../errors.ts', '../names.ts', './layout.ts', './io/io.ts', 'node:path'],
    mayNot: ['../index.ts', '../store.ts', '../sync/push.ts', '../cli/bin.ts', './../version.ts'],
  },
  'src/store/log/planted.ts': {
    may: [
      '../../types.ts',
      '../../errors.ts',
      '../layout.ts',
      '../io/io.ts',
      './plan.ts',
      'valibot',
    ],
    mayNot: ['../../index.ts', '../../sync/push.ts', '../../cli/output/table.ts', 'artifacts'],
  },
  'src/store/io/planted.ts': {
    may: ['../../errors.ts', '../layout.ts', './faults.ts'],
    mayNot: ['../../store.ts', '../../sync/push.ts', 'node:https'],
  },
  'src/sync/planted.ts': {
    may: ['../types.ts', '../store/commit.ts', '../store/log/log.ts', './push.ts', 'node:https'],
    mayNot: ['../index.ts', '../store.ts', '../cli/bin.ts'],
  },
  'src/sync/backends/planted.ts': {
    may: ['../../names.ts', '../../store/log/log.ts', '../push.ts', './file.ts'],
    mayNot: ['../../index.ts', '../../run.ts', '../../cli/bin.ts'],
  },
  'src/values/planted.ts': {
    may: ['../types.ts', '../errors.ts', './kinds.ts', 'node:fs/promises', 'valibot'],
    mayNot: [
      '../index.ts',
      '../store.ts',
      '../store/log/log.ts',
      '../sync/push.ts',
      '../cli/bin.ts',
    ],
  },
  'src/previews/planted.ts': {
    may: [
      '../types.ts',
      '../values/npy.ts',
      '../content-diff/text.ts',
      '../tar/header.ts',
      './text.ts',
    ],
    mayNot: ['../index.ts', '../store.ts', '../store/compare.ts', '../cli/bin.ts'],
  },
  'src/tar/planted.ts': {
    may: ['../types.ts', '../errors.ts', './header.ts', 'tar-stream'],
    mayNot: ['../index.ts', '../store/log/log.ts', '../values/table.ts', '../cli/bin.ts'],
  },
  'src/content-diff/planted.ts': {
    may: ['../types.ts', '../errors.ts', '../values/npy.ts', './text.ts', 'node:fs', 'diff'],
    mayNot: [
      '../index.ts',
      '../store.ts',
      '../store/compare.ts',
      '../sync/push.ts',
      '../cli/bin.ts',
    ],
  },
  'src/planted.ts': {
    may: [
      './types.ts',
      './values/table.ts',
      './version.ts',
      './sync/push.ts',
      './store/log/log.ts',
      './store/commit.ts',
    ],
    mayNot: ['./cli/bin.ts', './cli/output/table.ts', '../test/run.ts', 'artifacts'],
  },
  'src/cli/planted.ts': {
    may: ['../index.ts', './bin.ts', './output/table.ts', 'yargs', 'node:readline'],
    mayNot: ['../store.ts', '../types.ts', '../errors.ts', '../store/commit.ts', '../sync/push.ts'],
  },
  'src/cli/output/planted.ts': {
    may: ['../../index.ts', '../bin.ts', './table.ts'],
    mayNot: ['../../store.ts', '../../errors.ts', '../../store/commit.ts', '../../sync/push.ts'],
  },
}

const test = suite('layers')

for (const [file, { may, mayNot }] of Object.entries(LAYERS)) {
  const imports = [...may, ...mayNot]
  test(`${file} imports only what lies below it`, () => {
    const found = lint({ [file]: imports.map((path) => `import '${path}'`) })
    assert.equal(
      found.map(({ line }) => imports[line - 1]),
      mayNot,
    )
    assert.ok(found.every(({ rule }) => rule === 'noRestrictedImports'))
  })
}

test('types, re-exports and imports at run time are imports too', () => {
  const found = lint({
    'src/store/planted.ts': [
      `import type { Store } from '../store.ts'`,
      `export { push } from '../sync/push.ts'`,
      `export * from '../index.ts'`,
      `export const program = (): Promise<unknown> => import('../cli/bin.ts')`,
      `export type { Store }`,
    ],
  })
  assert.equal(
    found.map(({ rule, line }) => [rule, line]),
    [1, 2, 3, 4].map((line) => ['noRestrictedImports', line]),
  )
})

test('the store changes files through its I/O module alone', () => {
  const lines = [
    `import { openSync, readSync } from 'node:fs'`,
    `import { renameSync } from 'node:fs'`,
    `import { readdirSync, writeFileSync } from 'node:fs'`,
    `import { fsyncSync } from 'node:fs'`,
    `import * as all from 'node:fs'`,
    `import fs from 'node:fs'`,
    `import { readFile } from 'node:fs/promises'`,
    'export const used = [openSync, readSync, renameSync, readdirSync, writeFileSync, fsyncSync, all, fs, readFile]',
  ]
  for (const file of ['src/store/planted.ts', 'src/store/ingest/planted.ts']) {
    assert.equal(
      lint({ [file]: lines }).map(({ rule, line }) => [rule, line]),
      [2, 3, 4, 5, 6, 7].map((line) => ['noRestrictedImports', line]),
    )
  }
  assert.equal(lint({ 'src/store/io/io.ts': lines }), [])
})

test('cycles, forgotten promises, output, environment, default exports and names are looked after', () => {
  const found = lint({
    'src/store/one.ts': [`import { two } from './two.ts'`, 'export const one = (): unknown => two'],
    'src/store/two.ts': [`import { one } from './one.ts'`, 'export const two = (): unknown => one'],
    'src/floating.ts': [
      'async function wait(): Promise<void> {}',
      'export function forget(): void { wait() }',
    ],
    'src/misused.ts': [
      'async function ready(): Promise<boolean> { return true }',
      'export function decide(): number { return ready() ? 1 : 2 }',
    ],
    'src/output.ts': [`console.log('no')`],
    'src/cli/output.ts': [`console.log('yes')`],
    'src/surroundings.ts': ['export const home = process.env.HOME'],
    'src/environment.ts': ['export const home = process.env.HOME'],
    'src/cli/bin.ts': ['export const home = process.env.HOME'],
    'src/default.ts': ['export default 1'],
    'src/camelCase.ts': ['export const name = 1'],
    'src/undeclared.ts': [`import 'left-pad'`, `import 'yargs'`],
    'src/development.ts': [`import 'fast-check'`],
    'test/planted.test.ts': [`import 'fast-check'`, 'export const home = process.env.HOME'],
  })
  assert.equal(
    found.map(({ file, rule }) => `${file} ${rule}`),
    [
      'src/camelCase.ts useFilenamingConvention',
      'src/default.ts noDefaultExport',
      'src/development.ts noUndeclaredDependencies',
      'src/floating.ts noFloatingPromises',
      'src/misused.ts noMisusedPromises',
      'src/output.ts noConsole',
      'src/store/one.ts noImportCycles',
      'src/store/two.ts noImportCycles',
      'src/surroundings.ts noProcessEnv',
      'src/undeclared.ts noUndeclaredDependencies',
    ],
  )
})

test.run()

interface Finding {
  readonly file: string
  readonly line: number
  readonly rule: string
}

interface Report {
  readonly diagnostics: readonly {
    readonly severity: string
    readonly category: string
    readonly location: { readonly path: string; readonly start: { readonly line: number } }
  }[]
}

/** The errors that the linter finds in these files, ordered by file and line. */
function lint(files: Readonly<Record<string, readonly string[]>>): Finding[] {
  const folder = mkdtempSync(join(tmpdir(), 'layers-'))
  try {
    for (const file of ['biome.json', 'package.json'])
      copyFileSync(join(ROOT, file), join(folder, file))
    for (const [file, lines] of Object.entries(files)) {
      mkdirSync(join(folder, dirname(file)), { recursive: true })
      writeFileSync(join(folder, file), `${lines.join('\n')}\n`)
    }
    const biome = join(ROOT, 'node_modules/.bin/biome')
    const parameters = ['lint', '--reporter=json', '--max-diagnostics=none']
    const { stdout, stderr } = spawnSync(biome, parameters, { cwd: folder, encoding: 'utf8' })
    assert.match(stdout, '"diagnostics"', stderr)
    const { diagnostics }: Report = JSON.parse(stdout)
    return diagnostics
      .filter(({ severity }) => severity === 'error')
      .map(({ category, location }) => ({
        file: location.path,
        line: location.start.line,
        rule: category.split('/').at(-1) ?? '',
      }))
      .sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
