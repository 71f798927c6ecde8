/** Mends what is no pack: `format.json`, the log, settings, bindings, databases. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isSystemError } from '../../errors.ts'
import { temporaryName } from '../layout.ts'
import type { Examination } from './examination.ts'
import { recoverFormat } from './mend-format.ts'
import { mendLog } from './mend-log.ts'
import type { Quarantine } from './quarantine.ts'

/** What was done to a file. */
export interface Repair {
  readonly file?: string
  readonly message: string
}

export function mendFiles(examination: Examination, quarantine: Quarantine): Repair[] {
  const { problems, live } = examination
  const repairs: Repair[] = []
  const done = (file: string, message: string): void => {
    repairs.push({ file: problems.nameOf(file), message })
  }
  for (const file of problems.filesOf('format')) {
    if (mendFormat(examination, quarantine)) done(file, 'mended')
  }
  const log = problems.filesOf('log')
  if (log.length > 0 && existsSync(examination.layout.log)) {
    for (const [file, how] of mendLog(examination, log, quarantine)) done(file, how)
  }
  for (const file of problems.filesOf('notes')) {
    quarantine.keep(file)
    for (const each of [file, `${file}-wal`, `${file}-shm`]) remove(examination, each)
    done(file, 'put aside')
  }
  if (problems.filesOf('index').length > 0 && live.pointer !== undefined) {
    remove(examination, live.pointer)
    done(live.pointer, 'put aside: the index is made anew')
  }
  return repairs
}

function mendFormat({ io, layout }: Examination, quarantine: Quarantine): boolean {
  const mended = recoverFormat(layout)
  if (mended === undefined) return false
  quarantine.keep(layout.format)
  const tmp = join(layout.tmp, temporaryName())
  io.writeFileAtomic(layout.format, mended, { durable: true, tmp })
  return true
}

function remove({ io }: Examination, file: string): void {
  try {
    io.unlink(file)
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error
  }
}
