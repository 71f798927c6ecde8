/** For `--require`: traps the network in a whole process, its worker threads too, and writes what was tried into a file. */
import { appendFileSync } from 'node:fs'
import { trapNetwork } from './net-trap.ts'

trapNetwork((tried) => appendFileSync(process.env['TRAP_FILE'] ?? '', `${tried}\n`))
