/** Applies that packs leave the store. */
import { type Applies, RuleError } from './rules.ts'

export const PACK_CHANGES: Applies<'packs.drop'> = {
  'packs.drop': (connection, { packs }, n) => {
    for (const { id, into } of packs) {
      const state = connection.value<string>('SELECT state FROM pack WHERE name = ?', id)
      if (state === 'dropped') throw new RuleError(n, `pack "${id}" is dropped already`)
      connection.run(
        'INSERT INTO pack (name, bytes, kind, operation, state, dropped, "into") ' +
          "VALUES (?, 0, 'data', NULL, 'dropped', ?, ?) ON CONFLICT (name) DO UPDATE " +
          'SET state = excluded.state, dropped = excluded.dropped, "into" = excluded."into"',
        id,
        n,
        into ?? null,
      )
    }
  },
}
