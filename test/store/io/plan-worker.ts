/** Makes a directory, under a plan if it is given one; answers with the error's name, or `made`. */
import { parentPort, workerData } from 'node:worker_threads'
import { type FaultPlan, installFaults } from '../../../src/store/io/faults.ts'
import { createIo } from '../../../src/store/io/io.ts'

const { path, plan } = workerData as { path: string; plan?: FaultPlan }
if (plan !== undefined) installFaults(plan)
try {
  createIo({ durability: 'power' }).mkdir(path)
  parentPort?.postMessage('made')
} catch (error) {
  parentPort?.postMessage(error instanceof Error ? error.name : 'unknown')
}
