import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Sample, WorkloadResults } from '../../bench/results.ts'
import { judge, judgeProbe, judgeTarget } from '../../bench/targets.ts'
import type { ToolName } from '../../bench/tools/tool.ts'

const test = suite('bench/targets')

test('ours is compared with the peer that has the lowest median', () => {
  const results = resultsOf({ ours: [2, 2, 2], git: [8, 8, 8], borg: [4, 4, 4] })
  const judged = judgeTarget(results, target('fastest', 0.6))
  assert.is(judged.found, '0.50 × borg')
  assert.is(judged.verdict, 'PASS')
})

test('a ratio above the target is a miss', () => {
  const results = resultsOf({ ours: [3], git: [4] })
  assert.is(judgeTarget(results, target('fastest', 0.7)).verdict, 'MISS')
})

test('a ratio equal to the target passes', () => {
  const results = resultsOf({ ours: [3], git: [4] })
  assert.is(judgeTarget(results, target('git', 0.75)).verdict, 'PASS')
})

test('a named peer is the measure even where another is faster', () => {
  const results = resultsOf({ ours: [1], git: [2], restic: [10] })
  assert.is(judgeTarget(results, target('restic', 0.25)).found, '0.10 × restic')
})

test('cp and the second borg are never the fastest peer', () => {
  const results = resultsOf({ ours: [2], cp: [1], 'borg-zstd': [1], restic: [4] })
  assert.is(judgeTarget(results, target('fastest', 1)).found, '0.50 × restic')
})

test('a figure is void where the rounds of the peer lie more than a quarter apart', () => {
  const results = resultsOf({ ours: [1, 1, 1], git: [3.4, 4, 4.6] })
  assert.is(judgeTarget(results, target('fastest', 1)).verdict, 'VOID')
})

test('an unsteady figure of ours is judged by its median', () => {
  const results = resultsOf({ ours: [1, 2, 9], git: [4, 4, 4] })
  assert.is(judgeTarget(results, target('fastest', 1)).verdict, 'PASS')
})

test('without a figure of the peer there is no verdict', () => {
  const results = resultsOf({ ours: [1] })
  assert.is(judgeTarget(results, target('git', 1)).verdict, 'NO FIGURE')
  assert.is(judgeTarget(results, target('fastest', 1)).verdict, 'NO FIGURE')
})

test('stored sizes are compared by their bytes', () => {
  const results = resultsOf({ ours: [1], restic: [1] })
  results.stored.push(
    { tool: 'ours', round: 1, files: 1, bytes: 102, allocated: 4096 },
    { tool: 'restic', round: 1, files: 1, bytes: 100, allocated: 8192 },
  )
  const judged = judgeTarget(results, { ...target('restic', 1.02), step: 'stored' })
  assert.is(judged.found, '1.02 × restic')
  assert.is(judged.verdict, 'PASS')
})

test('the highest memory of all steps and rounds of ours is held against the limit', () => {
  const results = resultsOf({ ours: [1, 1], git: [1] })
  results.samples.push({ tool: 'ours', step: 'restore', round: 2, seconds: 1, peakBytes: 301e6 })
  const memory = judge(results).find(({ what }) => what.startsWith('peak memory'))
  assert.is(memory?.found, '301 MB')
  assert.is(memory?.verdict, 'MISS')
})

test('the memory of peers is not judged', () => {
  const results = resultsOf({ git: [1] })
  assert.equal(
    judge(results).filter(({ what }) => what.startsWith('peak memory')),
    [],
  )
})

test('a probe passes up to its limit', () => {
  const probe = { name: 'x', unit: 'ms', limit: 50, detail: '' } as const
  assert.is(judgeProbe({ ...probe, value: 50 }).verdict, 'PASS')
  assert.is(judgeProbe({ ...probe, value: 50.1 }).verdict, 'MISS')
})

test.run()

function target(against: ToolName | 'fastest', atMost: number): Parameters<typeof judgeTarget>[1] {
  return { workload: 'small', step: 'commit', against, atMost }
}

function resultsOf(seconds: Partial<Record<ToolName, readonly number[]>>): WorkloadResults {
  const samples = Object.entries(seconds).flatMap(([tool, values]) =>
    values.map(
      (value, index): Sample => ({
        tool: tool as ToolName,
        step: 'commit',
        round: index + 1,
        seconds: value,
        peakBytes: 1e6,
      }),
    ),
  )
  return { name: 'small', files: 1, bytes: 1, samples, stored: [], failures: [] }
}
