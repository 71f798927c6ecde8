/** Another process: does one thing after another to the store of a workspace, given as JSON. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openIn } from './workspace.ts'

export type Action =
  | { readonly do: 'commit'; readonly name: string }
  | { readonly do: 'remove' | 'restore'; readonly ref: string }
  | { readonly do: 'gc' }

/** Does these things in another process, to their end. `commit` takes the folder `of-NAME`. */
export function act(workspace: string, ...actions: readonly Action[]): void {
  const script = fileURLToPath(import.meta.url)
  const { status, stderr } = spawnSync(
    process.execPath,
    [script, workspace, JSON.stringify(actions)],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`another process failed: ${stderr}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , workspace = '', actions = '[]'] = process.argv
  using store = await openIn(workspace)
  for (const action of JSON.parse(actions) as Action[]) {
    switch (action.do) {
      case 'commit':
        await store.commit([join(workspace, `of-${action.name}`)], { name: action.name, jobs: 0 })
        break
      case 'remove':
        await store.remove([action.ref])
        break
      case 'restore':
        await store.restore([action.ref])
        break
      case 'gc':
        await store.gc({ grace: '0' })
        break
    }
  }
}
