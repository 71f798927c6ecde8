/** The reference part of docs/cli.md, made from what the program itself knows of its commands. */
import { type Flag, type Flags, GLOBAL_FLAGS } from '../../src/cli/command.ts'
import { EXIT_CODES } from '../../src/cli/help.ts'
import { COMMANDS, type Entry } from '../../src/cli/table.ts'

/** Every command, then what all have in common. */
export async function reference(): Promise<string> {
  const commands = await Promise.all(COMMANDS.map(describe))
  return [
    ...commands,
    '### Flags of every command',
    table(['flag', 'meaning'], flagRows(GLOBAL_FLAGS)),
    '### Exit codes',
    'Every command can end with 0, 2, 4, 10, 11 and 130; each names above what else it ends with.',
    table(
      ['code', 'meaning'],
      EXIT_CODES.map(([code, meaning]) => [String(code), meaning]),
    ),
  ].join('\n\n')
}

async function describe({ name, usage, describe: summary, load }: Entry): Promise<string> {
  const { flags, details, examples, json, ends } = await load()
  const parts = [`### ${name}`, `\`artifacts ${name} [flags] ${usage}\``, `${summary}.`, ...details]
  if (Object.keys(flags).length > 0) parts.push(table(['flag', 'meaning'], flagRows(flags)))
  parts.push(block(examples.map(([line, what]) => `${line}    # ${what}`)))
  for (const [what, fields] of Object.entries(json)) {
    const listed = fields.split(' ').map((field) => `\`${field}\``)
    parts.push(`JSON${what === '' ? '' : `, ${lowered(what)}`}: ${listed.join(' ')}`)
  }
  if (ends.length > 0) parts.push(`Ends also with: ${ends.join(', ')}`)
  return parts.join('\n\n')
}

function flagRows(flags: Flags): string[][] {
  return Object.entries(flags).map(([name, flag]) => [spelling(name, flag), meaning(flag)])
}

function spelling(name: string, { letter, value, bare }: Flag): string {
  const joined = bare === undefined ? ` ${value}` : `[=${value}]`
  const behind = value === undefined ? '' : joined
  const short = letter === undefined ? '' : `\`-${letter}${behind}\`, `
  return `${short}\`--${name}${behind}\``
}

function meaning({ kind, describe, choices }: Flag): string {
  const words = choices === undefined ? '' : `: ${choices.map((word) => `\`${word}\``).join(', ')}`
  return `${describe}${words}${kind === 'texts' ? ' (repeatable)' : ''}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function block(lines: readonly string[]): string {
  return ['```sh', ...lines, '```'].join('\n')
}

function lowered(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
