import { once } from 'node:events'
import type { Serving, Store } from '../../index.ts'
import {
  type Answer,
  type Command,
  type Context,
  choice,
  defineCommand,
  text,
  yes,
} from '../command.ts'
import { given } from '../given.ts'
import { columns, count } from '../render.ts'
import { UsageError } from '../usage-error.ts'

export const serve: Command = defineCommand({
  flags: {
    port: text('N', 'Where to listen; 0: any port that is free (default: 4280)'),
    host: text('ADDRESS', 'The address to listen on; 0.0.0.0: all (default: 127.0.0.1)'),
    'read-only': yes('Take nothing'),
    'tls-cert': text('FILE', 'Speak HTTPS, with this certificate'),
    'tls-key': text('FILE', 'The key of the certificate'),
    'allow-anonymous': yes('Let people read who have no token; without tokens: let them do all'),
    scope: choice('SCOPE', ['read', 'write'], 'With token add: what it is for'),
  },
  takes: [0, 3],
  ends: [12, 14],
  completes: ['token'],
  details: [
    'Serves the store until it is interrupted, and then finishes what is running. Others name its address where a remote is named, and give their token as ARTIFACTS_TOKEN. What they push is checked before it is there, and the store stays one that is committed to as ever. Who may read sees the whole log: serve a store that is kept for that.',
    '`token add` prints a new token, once; the store keeps its hash. As long as there are no tokens, only this machine is served, and everybody on it may write. Behind a proxy that speaks HTTPS, or with --tls-cert and --tls-key, tokens travel safely.',
    'GET /files/REF/PATH gives single files, with ranges, to curl, pandas and DuckDB; a slash in REF is written %2F, or REF ends with a version, as in /files/team/bike:v3/data.csv. GET /health says whether the server is well.',
  ],
  examples: [
    ['artifacts serve token add ci --scope write', 'Make a token that may push'],
    ['artifacts serve --host 0.0.0.0 --tls-cert c.pem --tls-key k.pem', 'Serve a team'],
    ['artifacts serve --read-only --port 8000', 'Show what is there, on this machine'],
    ['curl localhost:4280/files/bike:best/data.csv', 'Read one file of a version'],
  ],
  json: {
    '': 'type url',
    'At the end': 'type requests',
    '`token add`': 'name scope token',
    '`token ls`, a line for each': 'type name scope createdAt',
    '`token rm`': 'name',
  },

  async run({ values, positionals }, context) {
    const { scope, ...flags } = values
    if (positionals.length > 0) return changeTokens(positionals, scope, context)
    if (scope !== undefined)
      throw new UsageError('"--scope" says what a token is for: `serve token add`.')
    const store = await context.store()
    const server = await store.serve({
      ...given({
        port: flags.port === undefined ? undefined : portOf(flags.port),
        host: flags.host,
        tlsCert: flags['tls-cert'] && context.resolve(flags['tls-cert']),
        tlsKey: flags['tls-key'] && context.resolve(flags['tls-key']),
      }),
      readOnly: flags['read-only'],
      allowAnonymous: flags['allow-anonymous'],
      onPush: ({ operation, versions, token }) => {
        const who = token === undefined ? '' : ` by "${token}"`
        context.remark(`Operation ${operation}${who}: ${count(versions, 'version')} added.`)
      },
      onError: (error) => context.remark(`error: ${String(error)}`),
    })
    return { bytes: untilStopped(server, context) }
  },
})

/** Says where it listens, and ends when the process is told to. */
async function* untilStopped(
  server: Serving,
  { io, json, style }: Context,
): AsyncGenerator<string, void, undefined> {
  const { url } = server
  try {
    yield json ? line({ type: 'serving', url }) : `Serving at ${style.strong(url)}\n`
    if (!io.signal.aborted) await once(io.signal, 'abort')
  } finally {
    await server.close()
  }
  const { requests } = server
  const end = json
    ? line({ type: 'stopped', requests })
    : `Stopped after ${count(requests, 'request')}.\n`
  await io.write(end)
}

function line(record: object): string {
  return `${JSON.stringify(record)}\n`
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port <= 65_535) return port
  throw new UsageError(`"${text}" is no port.`, 'Give a number up to 65535, such as `--port 4280`.')
}

async function changeTokens(
  words: readonly string[],
  scope: 'read' | 'write' | undefined,
  context: Context,
): Promise<Answer> {
  const [noun, action, name] = words
  const isNamed = name !== undefined
  const fits = noun === 'token' && (action === 'ls' ? !isNamed : isNamed)
  if (!fits || !['add', 'ls', 'rm'].includes(action ?? '')) {
    throw new UsageError(
      `"serve ${words.join(' ')}" is not understood as it stands.`,
      'Usage: `artifacts serve token add NAME --scope read|write`, `serve token ls` or `serve token rm NAME`',
    )
  }
  const store = await context.store()
  if (action === 'add') return addToken(store, name as string, scope)
  const tokens = await store.serveTokens()
  if (action === 'rm') {
    await tokens.remove(name as string)
    return { value: { name }, text: `Gave up the token "${name}".\n` }
  }
  const all = await tokens.list()
  return {
    records: all.map((token) => ({ type: 'token', ...token })),
    lines: columns(all.map((token) => [token.name, token.scope, token.createdAt]))
      .split('\n')
      .slice(0, -1),
  }
}

async function addToken(
  store: Store,
  name: string,
  scope: 'read' | 'write' | undefined,
): Promise<Answer> {
  if (scope === undefined) {
    throw new UsageError(
      'A token is for reading or for writing.',
      `Say which: \`artifacts serve token add ${name} --scope read|write\`.`,
    )
  }
  const tokens = await store.serveTokens()
  const token = await tokens.add(name, { scope })
  return { value: { name, scope, token }, text: `${token}\n` }
}
