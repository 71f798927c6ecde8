/** Bundles with any files, made for tests by tar-stream. */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { pack } from 'tar-stream'

export interface BundleOptions {
  readonly bundle?: string
  readonly volume?: number
}

/** All files of a volume in their order: what was given, and what each volume has. */
export function volumeFiles(
  files: Readonly<Record<string, Uint8Array>>,
  { bundle = '0'.repeat(32), volume = 1 }: BundleOptions = {},
): [string, Buffer][] {
  const manifest: [string, Buffer] = ['manifest.json', Buffer.from('{}\n')]
  const given = Object.entries(files).map(([name, bytes]): [string, Buffer] => [
    name,
    Buffer.from(bytes),
  ])
  const lines = [manifest, ...given].map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`)
  const sums = Buffer.from(lines.join(''))
  const end = { bundle, entries: given.length + 2, sums: sha256(sums), volume }
  return [
    manifest,
    ['SHA256SUMS', sums],
    ...given,
    ['end.json', Buffer.from(`${JSON.stringify(end)}\n`)],
  ]
}

export async function tarOf(entries: readonly (readonly [string, Uint8Array])[]): Promise<Buffer> {
  const archive = pack()
  const finished = (async () => {
    for (const [name, bytes] of entries) {
      await new Promise<void>((resolve, reject) => {
        const header = { name, mtime: new Date(0), mode: 0o644 }
        archive.entry(header, Buffer.from(bytes), (error) => (error ? reject(error) : resolve()))
      })
    }
    archive.finalize()
  })()
  const pieces: Buffer[] = []
  for await (const piece of archive) pieces.push(piece as Buffer)
  await finished
  return Buffer.concat(pieces)
}

/** Writes a bundle; returns its path. */
export async function writeBundle(
  path: string,
  files: Readonly<Record<string, Uint8Array>>,
  options?: BundleOptions,
): Promise<string> {
  writeFileSync(path, await tarOf(volumeFiles(files, options)))
  return path
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
