/**
 * Installs what the project needs when it is not there yet, so that one command is enough on a fresh clone. Runs
 * before anything is installed, so it imports nothing but Node's own modules.
 *
 * The contents of package-lock.json and of npm's note of what it installed are compared, not their times: a checkout
 * gives every file a new time. A native module built for another version of Node is built again.
 *
 * usage: node scripts/setup.mjs [--check]   (from the project's folder; --check says what is missing and exits with 1)
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'

const NATIVE = 'better-sqlite3'

const steps = [
  { lacking: missingPackage, command: ['ci', '--include=dev'] },
  { lacking: unloadableModule, command: ['rebuild', NATIVE] },
]
for (const { lacking, command } of steps) {
  const reason = lacking()
  if (reason === undefined) continue
  if (process.argv.includes('--check')) {
    console.log(reason)
    process.exit(1)
  }
  console.log(`${reason}: npm ${command.join(' ')}`)
  npm(command)
}

/** Says what node_modules lacks of package-lock.json, if anything. */
function missingPackage() {
  const wanted = readJson('package-lock.json')
  const installed = readJson(join('node_modules', '.package-lock.json'))
  if (wanted === undefined) throw new Error('There is no package-lock.json in this folder.')
  if (installed === undefined) return 'Nothing is installed'
  for (const [path, { version, optional }] of Object.entries(wanted.packages)) {
    const found = installed.packages[path]?.version
    if (path === '' || found === version || (found === undefined && optional)) continue
    return `${path} is ${found ?? 'missing'}, not ${version}`
  }
  return undefined
}

/** Says why the native module does not load into this Node, if it does not. */
function unloadableModule() {
  try {
    const Database = createRequire(resolve('package.json'))(NATIVE)
    new Database(':memory:').close()
    return undefined
  } catch (error) {
    return `${NATIVE} does not load into Node ${process.version} (${error.message.split('\n')[0]})`
  }
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

function npm(command) {
  const { status, error } = spawnSync('npm', [...command, '--no-audit', '--no-fund'], {
    stdio: 'inherit',
  })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}
