/** The floor under every restore: `cp -a` from the page cache. */
import type { Tool } from './tool.ts'
import { versionLine } from './tool.ts'

export const copy: Tool = {
  name: 'cp',
  version: () => versionLine('cp', '--version'),
  init: () => {},
  restore: (place, into) => ({ argv: ['cp', '-a', `${place.data}/.`, into], cwd: into }),
}
