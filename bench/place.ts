/** A new folder for every tool in every round, with an environment that holds nothing of the person's own. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Place } from './tools/tool.ts'

export function makePlace(dir: string, data: string): Place {
  const home = join(dir, 'home')
  const store = join(dir, 'store')
  const temp = join(dir, 'temp')
  mkdirSync(home, { recursive: true })
  mkdirSync(temp, { recursive: true })
  return {
    data,
    store,
    home,
    env: {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      HOME: home,
      TMPDIR: temp,
      XDG_CACHE_HOME: join(home, 'cache'),
      LC_ALL: 'C.UTF-8',
      NO_COLOR: '1',
      GIT_DIR: store,
      GIT_CONFIG_NOSYSTEM: '1',
      RESTIC_REPOSITORY: store,
      RESTIC_PASSWORD: 'bench',
      BORG_BASE_DIR: home,
      BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
      BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes',
    },
  }
}
