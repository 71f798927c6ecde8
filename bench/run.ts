/**
 * `npm run bench`: makes the workloads, runs the tools over them in turn and prints medians, ratios and verdicts. How
 * and why it measures so is in docs/bench.md.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { waitForCalm } from './calm.ts'
import { freeBytes } from './disk.ts'
import { describeMachine } from './machine.ts'
import { type Options, optionsOf, USAGE } from './options.ts'
import { diff200k } from './probes/diff-200k.ts'
import { gc200k } from './probes/gc-200k.ts'
import { scalingOf } from './probes/scaling.ts'
import { startup } from './probes/startup.ts'
import { sync } from './probes/sync.ts'
import { tracker } from './probes/tracker.ts'
import { report } from './report.ts'
import type { Probe, Results, WorkloadResults } from './results.ts'
import { MANY_FILES, playRounds } from './rounds.ts'
import { TOOLS } from './tools/list.ts'
import { TOOL_NAMES, type Tool, type ToolName } from './tools/tool.ts'
import { openWorkFolder, type WorkFolder } from './work-folder.ts'
import { WORKLOADS } from './workloads/list.ts'
import { inputAt, prepare, type Workload } from './workloads/workload.ts'

const PROBES = [startup, diff200k, gc200k, tracker, sync]

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args)
  if (options === undefined) return 2
  const folder = openWorkFolder(options.dir)
  const versions: Partial<Record<ToolName, string>> = {}
  const tools = TOOLS.filter((tool) => {
    if (!(options.tools?.includes(tool.name) ?? tool.name !== 'borg-zstd')) return false
    const version = tool.version()
    if (version === undefined) log(`${tool.name} is not installed: skipped`)
    else versions[tool.name] = version
    return version !== undefined
  })
  const workloads: WorkloadResults[] = []
  for (const workload of WORKLOADS.filter(({ name }) => isWanted(options, name))) {
    const found = await runWorkload(options, folder, workload, tools)
    if (found !== undefined) workloads.push(found)
  }
  const probes = tools.some(({ name }) => name === 'ours') ? await runProbes(options, folder) : []
  const results: Results = {
    machine: describeMachine(options.dir),
    versions,
    scale: options.scale,
    workloads,
    probes: [...probes, ...scalingOf(workloads)],
  }
  process.stdout.write(`${report(results)}\n`)
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results)}\n`)
  folder.close(options.keep)
  return workloads.every(({ failures }) => failures.length === 0) ? 0 : 1
}

function readOptions(args: readonly string[]): Options | undefined {
  try {
    const parts = [...WORKLOADS, ...PROBES].map(({ name }) => name)
    return optionsOf(args, { parts, tools: TOOL_NAMES })
  } catch (error) {
    log(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
    return undefined
  }
}

async function runWorkload(
  options: Options,
  folder: WorkFolder,
  workload: Workload,
  installed: readonly Tool[],
): Promise<WorkloadResults | undefined> {
  const { scale, rounds, keep } = options
  const tools = installed.filter(({ name }) => workload.tools.includes(name))
  if (tools.length === 0) return undefined
  if (freeBytes(options.dir) < workload.needs * scale) {
    log(`${workload.name} needs ${(workload.needs * scale) / 1e9} GB of free disk: skipped`)
    return undefined
  }
  const input = inputAt(join(folder.inputs, `${workload.name}-${scale}`))
  const start = performance.now()
  const changes = prepare(workload, input, scale)
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  log(`${workload.name}: ${changes.files} files, ${changes.bytes} bytes made in ${seconds} s`)
  if (changes.files > MANY_FILES) await waitForCalm(folder.runs, log)
  return playRounds({ workload, input, changes, tools, rounds, dir: folder.runs, keep, log })
}

/** Last, so that the many files they make slow down nothing else. */
async function runProbes(options: Options, folder: WorkFolder): Promise<readonly Probe[]> {
  const probes: Probe[] = []
  for (const probe of PROBES.filter(({ name }) => isWanted(options, name))) {
    log(`${probe.name} …`)
    probes.push(...(await probe.run(join(folder.runs, probe.name), options.scale)))
  }
  return probes
}

function isWanted(options: Options, name: string): boolean {
  return options.only?.includes(name) ?? true
}

function log(line: string): void {
  process.stderr.write(`${line}\n`)
}
