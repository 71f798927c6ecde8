/** What a version refers to: files by their URI, and pages of a site. */
import { pathToFileURL } from 'node:url'
import type { Artifact } from '../../src/index.ts'
import type { Workspace } from '../library/workspace.ts'
import { type Web, web } from '../support/web.ts'
import { draft } from './logging.ts'

export function fileUri(path: string): string {
  return pathToFileURL(path).href
}

/** A site that the store trusts to send bytes, and a draft of `bike` that refers to all of it. */
export async function site(
  ws: Workspace,
  pages: Parameters<typeof web>[0],
): Promise<Web & { readonly artifact: Artifact }> {
  const server = await web(pages)
  ws.store.settings.set('references.hosts', server.host)
  const artifact = draft()
  for (const path of Object.keys(pages ?? {})) await artifact.addReference(`${server.url}${path}`)
  return { ...server, artifact }
}
