import type { StoreStatistics } from '../../index.ts'
import { type Command, type Context, defineCommand } from '../command.ts'
import { columns, count, size, thousands } from '../render.ts'

export const stats: Command = defineCommand({
  flags: {},
  takes: [0, 0],
  completes: [],
  details: [
    'Counts what all versions hold that can be read, deleted ones that can be restored included, how much of that is different, and what it takes in the store. The last part says what `artifacts gc` would free. In the listing of objects, copies are the same object in more than one pack.',
  ],
  examples: [
    ['artifacts stats', 'How large is the store, and why?'],
    ['artifacts stats --json', 'The same for a program'],
  ],
  json: {
    '': 'operations artifacts versions files logicalBytes uniqueBytes storedBytes dedupRatio? compressionRatio? ratio? objects packs disk largest gc',
    'each of `objects`': 'kind objects bytes storedBytes copies',
    'each of `largest`': 'artifact versions bytes',
  },

  async run(_, context) {
    const store = await context.store()
    const statistics = await store.statistics(context.operation)
    return { value: statistics, text: describe(statistics, context) }
  },
})

function describe(report: StoreStatistics, { style }: Context): string {
  const { versions, objects, packs, disk, largest, gc } = report
  const others = [
    versions.deleted > 0 ? `${thousands(versions.deleted)} deleted` : '',
    versions.purged > 0 ? `${thousands(versions.purged)} purged` : '',
  ].filter((text) => text !== '')
  const facts: (readonly [string, string])[] = [
    ['artifacts', thousands(report.artifacts)],
    ['versions', [thousands(versions.live), ...others].join(', ')],
    ['operations', thousands(report.operations)],
    ['content', `${size(report.logicalBytes)} in ${count(report.files, 'file')}`],
    ['different', `${size(report.uniqueBytes)}${times(report.dedupRatio)}`],
    ['stored', `${size(report.storedBytes)}${times(report.ratio)}`],
    ['compression', report.compressionRatio === undefined ? '-' : `${report.compressionRatio} : 1`],
    ...objects
      .filter((each) => each.objects > 0)
      .map((each) => [`${each.kind}s`, objectFacts(each)] as const),
    ['packs', packFacts(packs)],
    ['on disk', `${size(disk.diskBytes)} in ${count(disk.inodes, 'inode')}`],
    ['gc frees', gcFacts(gc)],
  ]
  const rows = largest.map(({ artifact, versions: live, bytes }) => [
    `  ${style.strong(artifact)}`,
    count(live, 'version'),
    size(bytes),
  ])
  const table = columns(facts.map(([name, value]) => [name, value]))
  return rows.length === 0 ? table : `${table}\nlargest\n${columns(rows)}`
}

function times(ratio: number | undefined): string {
  return ratio === undefined ? '' : ` (1 : ${ratio})`
}

function objectFacts(counts: StoreStatistics['objects'][number]): string {
  const { objects, bytes, storedBytes, copies } = counts
  const twice = copies === 0 ? '' : `, ${count(copies, 'copy', 'copies')}`
  return `${thousands(objects)}, ${size(bytes)}, stored ${size(storedBytes)}${twice}`
}

function packFacts({ packs, bytes, unreadable }: StoreStatistics['packs']): string {
  const damaged = unreadable === 0 ? '' : `, ${thousands(unreadable)} can't be read`
  return `${thousands(packs)}, ${size(bytes)}${damaged}`
}

function gcFacts(gc: StoreStatistics['gc']): string {
  if ('refused' in gc) return `nothing: ${gc.refused}`
  const { bytes, bytesWithoutGrace } = gc
  const more = bytesWithoutGrace > bytes ? `; ${size(bytesWithoutGrace)} with --grace 0` : ''
  return `${size(Math.max(0, bytes))}${more}`
}
