/**
 * restic encrypts always and derives its key anew for every command, which costs it about half a second: that is part
 * of what it is, and stays in its figures.
 */
import { type Place, run, type Tool, versionLine } from './tool.ts'

export const restic: Tool = {
  name: 'restic',
  version: () => versionLine('restic', 'version'),
  init: (place) => {
    run(place, place.data, 'restic', 'init', '-q')
  },
  commit: (place, label) => ({
    argv: ['restic', 'backup', '-q', '--tag', label, '.'],
    cwd: place.data,
  }),
  diff: (place) => ({
    argv: ['restic', 'diff', snapshot(place, 'v1'), snapshot(place, 'v2')],
    cwd: place.data,
  }),
  restore: (place, into) => ({
    argv: ['restic', 'restore', '-q', snapshot(place, 'v2'), '--target', into],
    cwd: into,
  }),
}

function snapshot(place: Place, tag: string): string {
  const listed = run(place, place.data, 'restic', 'snapshots', '--json', '--tag', tag)
  const [found] = JSON.parse(listed) as { id: string }[]
  if (found === undefined) throw new Error(`restic lists no snapshot with the tag "${tag}"`)
  return found.id
}
