/** Checks what is noted beside log and packs: settings, bindings, and the stat cache. None of it holds stored bytes. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ArtifactsError } from '../../errors.ts'
import { Connection, isIndexDamage } from '../index/connection.ts'
import { databaseDirectory } from '../index/place.ts'
import { Settings } from '../settings.ts'
import { listBindings } from '../workspace/binding.ts'
import type { Counts, Examination } from './examination.ts'

export function checkNotes(examination: Examination): Counts {
  const { layout, problems } = examination
  const fault = configFault(examination)
  if (fault !== undefined) problems.add('notes', layout.config, fault)
  const { bindings, damaged } = listBindings(layout)
  for (const file of damaged) {
    problems.add('notes', file, 'is damaged: it says which version a directory holds')
  }
  const cache = statCacheFile(examination)
  if (cache !== undefined && isDamagedDatabase(cache)) {
    problems.add('notes', cache, 'is damaged: files are read once more')
  }
  return { bindings: bindings.length + damaged.length }
}

function configFault({ layout }: Examination): string | undefined {
  try {
    new Settings(layout)
    return undefined
  } catch (error) {
    if (error instanceof ArtifactsError && error.code === 'ERR_CONFIG')
      return 'is damaged: no command can read the settings'
    throw error
  }
}

/** Where the stat cache is, if there is one. */
export function statCacheFile({ io, layout, identity, cacheDir }: Examination): string | undefined {
  const directory = databaseDirectory(io, layout.root, identity.id, cacheDir)
  const file = directory && join(directory, 'stat.db')
  return file !== undefined && existsSync(file) ? file : undefined
}

function isDamagedDatabase(file: string): boolean {
  try {
    const connection = new Connection(file)
    try {
      return connection.value('PRAGMA quick_check(1)') !== 'ok'
    } finally {
      connection.close()
    }
  } catch (error) {
    if (isIndexDamage(error)) return true
    throw error
  }
}
