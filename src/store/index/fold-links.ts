/** Applies that versions are linked into portfolios, and not any more. */
import type { Connection } from './connection.ts'
import { checkedRow, count, insertRow, rowSum, seal } from './row-sum.ts'
import type { StoredLink } from './rows.ts'
import { type Applies, RuleError, requirePortfolio, requireVersion } from './rules.ts'

export const LINK_CHANGES: Applies<'link.add' | 'link.remove'> = {
  'link.add': (connection, { portfolio, number, version }, n) => {
    requirePortfolio(connection, portfolio, n)
    const artifact = connection.value<string>('SELECT artifact FROM version WHERE id = ?', version)
    const of = { artifact: (artifact ?? '') as StoredLink['portfolio'], version }
    if (requireVersion(connection, of, n).deleted !== null)
      throw new RuleError(n, `version "${version}" is linked, and deleted`)
    const other = connection.value(
      'SELECT 1 FROM link WHERE version = ? AND portfolio = ? AND removed IS NULL',
      version,
      portfolio,
    )
    if (other !== undefined)
      throw new RuleError(n, `version "${version}" is linked into portfolio "${portfolio}" already`)
    const before = read(connection, portfolio, number)
    // A number is never given to another version; whoever undoes that a link was taken away brings it back.
    if (before !== undefined && before.version !== version)
      throw new RuleError(n, `the number v${number} of portfolio "${portfolio}" is taken`)
    insertRow(connection, 'INSERT OR REPLACE INTO link', [portfolio, number, version, n, null])
    count(connection, ['version', 'links'], version, 1)
    connection.run('UPDATE artifact SET next = max(next, ?) WHERE id = ?', number + 1, portfolio)
    seal(connection, 'artifact', portfolio)
  },

  'link.remove': (connection, { portfolio, number, version }, n) => {
    requirePortfolio(connection, portfolio, n)
    const row = read(connection, portfolio, number)
    if (row === undefined || row.version !== version || row.removed !== null)
      throw new RuleError(n, `v${number} of portfolio "${portfolio}" is not version "${version}"`)
    const alias = connection.value<string>(
      'SELECT alias FROM alias WHERE artifact = ? AND version = ?',
      portfolio,
      version,
    )
    if (alias !== undefined)
      throw new RuleError(n, `a link to "${version}" is removed while "${alias}" names it`)
    connection.run(
      'UPDATE link SET removed = ?, sum = ? WHERE portfolio = ? AND number = ?',
      n,
      rowSum([portfolio, number, version, row.operation, n]),
      portfolio,
      number,
    )
    count(connection, ['version', 'links'], version, -1)
  },
}

function read(connection: Connection, portfolio: string, number: number): StoredLink | undefined {
  const row = connection.get<StoredLink>(
    'SELECT * FROM link WHERE portfolio = ? AND number = ?',
    portfolio,
    number,
  )
  return row === undefined ? undefined : checkedRow(row)
}
