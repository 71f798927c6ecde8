import { type Command, defineCommand } from '../command.ts'
import { given } from '../given.ts'
import { contents, size } from '../render.ts'

export const path: Command = defineCommand({
  flags: {},
  takes: [1, 2],
  ends: [12, 13, 20, 21, 22],
  completes: 'first-ref',
  details: [
    'The path is that of a folder, or of the file where the version is one file or PATH is one. Files and folders are read-only, and versions that have files in common share them. References are fetched, and refused where they have changed. Nothing is copied twice: a copy that is there is checked, and handed out again.',
    'What was handed out in the last 7 days stays, and what running runs use; other copies go when the cache holds more than the setting `cache.maxBytes`. It is in the store, or where the setting `cache.dir` says.',
  ],
  examples: [
    ['python train.py --data "$(artifacts path bike:v3)"', 'Read a version where it lies'],
    ['artifacts path model:best weights.pt', 'One file of it'],
  ],
  json: { '': 'ref path files bytes cached cacheBytes maxBytes' },

  async run({ positionals: [ref = '', inner] }, context) {
    const store = await context.store()
    const report = await store.localPath(ref, { ...given({ path: inner }), ...context.operation })
    const { cacheBytes, maxBytes } = report
    if (!report.cached && !context.json) {
      context.remark(`Copied ${report.ref}: ${contents(report)}.`)
    }
    if (cacheBytes > maxBytes) {
      context.remark(
        `The cache holds ${size(cacheBytes)}, more than cache.maxBytes (${size(maxBytes)}): what was handed out in the last 7 days stays, and what running runs use.`,
      )
    }
    return { value: report, text: `${context.style.name(report.path)}\n` }
  },
})
