import { borg, borgZstd } from './borg.ts'
import { copy } from './copy.ts'
import { git, gitLfs } from './git.ts'
import { ours } from './ours.ts'
import { restic } from './restic.ts'
import type { Tool } from './tool.ts'

export const TOOLS: readonly Tool[] = [ours, git, gitLfs, restic, borg, borgZstd, copy]
