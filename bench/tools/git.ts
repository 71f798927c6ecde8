/**
 * git with its defaults, the repository outside the data, and no gc. "Again" ends with `git diff --cached --quiet`
 * rather than a commit that is refused, which would look at every file twice. A restore is `read-tree` with an index
 * of its own and `checkout-index`, the quickest of the ways there are: `worktree add` also writes refs, `checkout`
 * compares first.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, type Place, run, type Tool, versionLine } from './tool.ts'

export const git: Tool = {
  name: 'git',
  version: () => versionLine('git', '--version'),
  init: initRepository,
  commit: (place, label) =>
    label === 'again'
      ? shell(place, 'git add -A && git diff --cached --quiet')
      : shell(place, `git add -A && git commit -q -m ${label} && git tag ${label}`),
  diff: (place) => shell(place, 'git diff --name-status --no-renames v1 v2'),
  restore: (place, into) =>
    shell(
      { ...place, data: into },
      `GIT_INDEX_FILE="${place.store}/restore-index"; export GIT_INDEX_FILE
       git --work-tree=. read-tree v2 && git --work-tree=. checkout-index -a -q`,
    ),
}

/** git-lfs with every file tracked. It stores whole files by their SHA-256, and git stores their pointers. */
export const gitLfs: Tool = {
  ...git,
  name: 'git-lfs',
  version: () => (git.version() === undefined ? undefined : versionLine('git-lfs', 'version')),
  init: (place) => {
    initRepository(place)
    run(place, place.data, 'git', 'lfs', 'install', '--local', '--skip-repo')
    mkdirSync(join(place.store, 'info'), { recursive: true })
    writeFileSync(
      join(place.store, 'info', 'attributes'),
      '* filter=lfs diff=lfs merge=lfs -text\n',
    )
  },
}

function initRepository(place: Place): void {
  run(place, place.data, 'git', 'init', '-q', '-b', 'main')
  run(place, place.data, 'git', 'config', 'gc.auto', '0')
  run(place, place.data, 'git', 'config', 'core.bare', 'false')
  run(place, place.data, 'git', 'config', 'core.worktree', place.data)
  run(place, place.data, 'git', 'config', 'user.name', 'bench')
  run(place, place.data, 'git', 'config', 'user.email', 'bench@localhost')
}

function shell(place: Place, script: string): Command {
  return {
    argv: ['sh', '-c', `GIT_DIR="${place.store}"; export GIT_DIR; ${script}`],
    cwd: place.data,
  }
}
