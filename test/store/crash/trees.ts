/** What the crash tests store and check out: small trees with every kind of entry, and every way in which one changes. */

import type { Tree } from '../../support/files.ts'
import { seededRandom } from '../../support/random.ts'

const { bytes, text } = seededRandom(20)
const large = bytes(300_000)

/** Small enough for one pack that holds data and metadata. */
export const FIRST: Tree = {
  '.artifactsignore': '*.log\n',
  'a/deep/down/note.txt': text(900),
  'a/moves.txt': text(1200),
  'a/table.csv': text(3000),
  'changes-mode': text(200),
  'empty-file': '',
  'file-to-directory': text(400),
  'file-to-link': text(300),
  inline: 'at most 64 bytes',
  'large.bin': large,
  'lies-outside': { symlink: '../outside/file' },
  link: { symlink: 'a/table.csv' },
  'link-to-file': { symlink: 'nowhere' },
  'nothing-in-it': null,
  'run.sh': { content: '#!/bin/sh\necho run\n', mode: 0o755 },
  'to-file/one': text(100),
  'to-file/two/three': text(100),
  'vanishes/with/it': text(150),
}

/** What it becomes: edited, added, removed, renamed, and of another kind. */
export const SECOND: Tree = {
  '.artifactsignore': '*.log\n',
  'a/deep/down/note.txt': text(950),
  'a/added.txt': text(700),
  'a/table.csv': FIRST['a/table.csv'] as string,
  'b/moved.txt': FIRST['a/moves.txt'] as string,
  'changes-mode': { content: FIRST['changes-mode'] as string, mode: 0o755 },
  'empty-file': '',
  'file-to-directory/inside': text(400),
  'file-to-link': { symlink: 'inline' },
  inline: 'other 64 bytes at most',
  'large.bin': Buffer.concat([large.subarray(0, 150_000), bytes(2000), large.subarray(150_000)]),
  'lies-outside': { symlink: '../outside/file' },
  link: { symlink: 'b/moved.txt' },
  'link-to-file': text(128),
  'new-empty/one': null,
  'run.sh': { content: '#!/bin/sh\necho runs\n', mode: 0o755 },
  'to-file': text(100),
}

/** Too much for one pack: data and metadata go to packs of their own. */
export const TWO_PACKS: Tree = { 'noise.bin': bytes(1_200_000), small: text(500) }

/** Lies in a directory that is checked out into, and is in no version. */
export const IGNORED: Tree = { 'mine.log': text(60), 'a/mine.log': text(60) }

/** Lies beside what is committed and checked out, and must not be touched. */
export const OUTSIDE: Tree = { file: 'outside', 'directory/file': text(80) }
