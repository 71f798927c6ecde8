/** 200,000 files of about 7 KB in 20 folders: noise behind the header that every encoder writes. */
import { STEPS } from '../steps.ts'
import { type TreeSpec, writeTree } from './file-tree.ts'
import { noiseOf, randomOf } from './random.ts'
import type { Workload } from './workload.ts'

export const images: Workload = {
  name: 'images',
  tools: ['ours', 'git', 'restic'],
  roundLimit: 1,
  steps: STEPS,
  needs: 12e9,
  make: (input, scale) => writeTree(input, imageFiles(Math.ceil(200_000 * scale))),
}

function imageFiles(files: number): TreeSpec {
  const random = randomOf('images')
  const noise = noiseOf('images')
  const header = jpegHeader()
  return {
    seed: 'images',
    files,
    make: (n) => ({
      path: `class-${String(n % 20).padStart(2, '0')}/${String(n).padStart(6, '0')}.jpg`,
      bytes: Buffer.concat([header, noise(5000 + random(3800)), Buffer.from([0xff, 0xd9])]),
    }),
    edit: (bytes) => Buffer.concat([header, noise(bytes.length - header.length)]),
  }
}

/** Start of image, a JFIF segment and two quantisation tables. */
function jpegHeader(): Buffer {
  const tables = [0, 1].map((id) => [
    0xff,
    0xdb,
    0,
    67,
    id,
    ...Array.from({ length: 64 }, (_, index) => 8 + id * 6 + Math.floor(index * 1.4)),
  ])
  const jfif = [0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 72, 0, 72, 0, 0]
  return Buffer.from([0xff, 0xd8, ...jfif, ...tables.flat()])
}
