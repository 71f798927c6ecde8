/** Other programs that read and write tars. */
import { spawnSync } from 'node:child_process'

export interface TarProgram {
  readonly name: string
  /** Packs what is in `dir` into a new file. */
  readonly pack: (dir: string, file: string) => void
  /** Unpacks into `dir`, which exists. */
  readonly unpack: (file: string, dir: string) => void
}

/** GNU tar, Python's tarfile and bsdtar in all formats they have, as far as they are here. */
export function tarPrograms(): readonly TarProgram[] {
  return [
    ...has('tar', ['--version'], ['gnu', 'oldgnu', 'pax', 'ustar', 'v7']).map((format) => ({
      name: `GNU tar, ${format}`,
      pack: (dir: string, file: string) =>
        run('tar', ['-C', dir, `--format=${format}`, '-cf', file, '.']),
      unpack: (file: string, dir: string) => run('tar', ['-C', dir, '-xf', file]),
    })),
    ...has('python3', ['-c', 'import tarfile'], ['GNU', 'PAX', 'USTAR']).map((format) => ({
      name: `Python, ${format}`,
      pack: (dir: string, file: string) =>
        run('python3', ['-c', PACK.replace('FORMAT', `${format}_FORMAT`), dir, file]),
      unpack: (file: string, dir: string) => run('python3', ['-c', UNPACK, file, dir]),
    })),
    ...has('bsdtar', ['--version'], ['gnutar', 'pax', 'ustar', 'v7']).map((format) => ({
      name: `bsdtar, ${format}`,
      pack: (dir: string, file: string) =>
        run('bsdtar', ['-C', dir, '--format', format, '-cf', file, '.']),
      unpack: (file: string, dir: string) => run('bsdtar', ['-C', dir, '-xf', file]),
    })),
  ]
}

const PACK =
  'import sys, tarfile; t = tarfile.open(sys.argv[2], "w", format=tarfile.FORMAT); t.add(sys.argv[1], arcname="."); t.close()'
const UNPACK = 'import sys, tarfile; tarfile.open(sys.argv[1], "r:").extractall(sys.argv[2])'

function has(
  program: string,
  args: readonly string[],
  formats: readonly string[],
): readonly string[] {
  return spawnSync(program, args).status === 0 ? formats : []
}

function run(program: string, args: readonly string[]): void {
  const env = { ...process.env, LC_ALL: 'C.UTF-8' }
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8', env })
  if (status !== 0 || stderr !== '') throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
}
