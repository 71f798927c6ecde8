/** Deleting the versions of an artifact that no rule keeps. */
import { ArtifactsError } from './errors.ts'
import { wholeArtifact, write } from './labels.ts'
import { parseDuration } from './names.ts'
import { isPortfolio } from './portfolios.ts'
import {
  describeAlias,
  describeVersion,
  type RemovedVersion,
  type RemoveReport,
} from './removal.ts'
import { nameOf, type Session } from './session.ts'
import {
  type BestRule,
  type KeepReason,
  type KeepRules,
  planPrune,
} from './store/log/plan-prune.ts'

export type { KeepReason }

/** A version is kept as soon as one of the rules keeps it. */
export interface PruneOptions {
  /** So many with the highest numbers. */
  readonly keepLast?: number
  /** Those that are not older, such as `14d`. */
  readonly keepWithin?: string
  /** Those that an alias other than `latest` names. */
  readonly keepAliased?: boolean
  /** The one whose metadata has the greatest number under a key: `meta.acc`; the least: `meta.loss:min`. */
  readonly keepBest?: string
  /** Only say what would go. */
  readonly dryRun?: boolean
}

export interface PruneReport extends RemoveReport {
  readonly dryRun: boolean
  readonly kept: readonly KeptVersion[]
}

export interface KeptVersion extends RemovedVersion {
  /** The rules that keep it. */
  readonly reasons: readonly KeepReason[]
}

/**
 * Deletes the versions that no rule keeps, in one operation; `restore` brings them back until gc has removed their bytes.
 * @throws ArtifactsError ERR_USAGE for a portfolio, when no rule is given or none keeps any version, ERR_NOT_FOUND, ERR_IN_USE when an
 * alias other than `latest` names a version that would go.
 */
export async function pruneVersions(
  session: Session,
  name: string,
  options: PruneOptions,
): Promise<PruneReport> {
  const artifact = wholeArtifact(session, name)
  if (artifact.portfolio === true) throw isPortfolio(session, artifact)
  const intent = {
    artifact: artifact.id,
    name: nameOf(session, artifact),
    rules: rulesOf(options),
    now: Date.now(),
  }
  const { dryRun = false } = options
  const { outcome, operation } = dryRun
    ? { outcome: planPrune(session.opened.index.state, intent).outcome, operation: {} }
    : await write(session, (state) => planPrune(state, intent))
  return {
    dryRun,
    kept: outcome.kept.map(({ row, reasons }) => ({ ...describeVersion(session, row), reasons })),
    removed: outcome.removed.map((row) => describeVersion(session, row)),
    aliases: outcome.aliases.map((alias) => describeAlias(session, alias)),
    ...operation,
  }
}

function rulesOf({ keepLast, keepWithin, keepAliased, keepBest }: PruneOptions): KeepRules {
  if (keepLast !== undefined && !(Number.isSafeInteger(keepLast) && keepLast > 0)) {
    throw new ArtifactsError('ERR_USAGE', `"${keepLast}" versions can't be kept.`, {
      hint: 'Give a whole number above zero.',
    })
  }
  return {
    ...(keepLast === undefined ? {} : { last: keepLast }),
    ...(keepWithin === undefined ? {} : { within: parseDuration(keepWithin) }),
    ...(keepAliased === undefined ? {} : { aliased: keepAliased }),
    ...(keepBest === undefined ? {} : { best: parseBest(keepBest) }),
  }
}

function parseBest(text: string): BestRule {
  const [, key, order = 'max'] = /^meta\.(.+?)(?::(min|max))?$/.exec(text) ?? []
  if (key !== undefined) return { key, order: order as BestRule['order'] }
  throw new ArtifactsError('ERR_USAGE', `"${text}" says not which number is best.`, {
    hint: 'Write the key of the metadata, as `meta.acc`, or `meta.loss:min` where less is better.',
  })
}
