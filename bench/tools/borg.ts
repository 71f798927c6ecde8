/** borg without encryption, with its default compression (lz4), and once more with zstd 3. */
import { run, type Tool, type ToolName, versionLine } from './tool.ts'

export const borg: Tool = borgWith('borg', 'lz4')
export const borgZstd: Tool = borgWith('borg-zstd', 'zstd,3')

function borgWith(name: ToolName, compression: string): Tool {
  return {
    name,
    version: () => versionLine('borg', '--version'),
    init: (place) => {
      run(place, place.data, 'borg', 'init', '-e', 'none', place.store)
    },
    commit: (place, label) => ({
      argv: ['borg', 'create', '-C', compression, `${place.store}::${label}`, '.'],
      cwd: place.data,
    }),
    diff: (place) => ({ argv: ['borg', 'diff', `${place.store}::v1`, 'v2'], cwd: place.data }),
    restore: (place, into) => ({ argv: ['borg', 'extract', `${place.store}::v2`], cwd: into }),
  }
}
