/** The backend for an address, in the wrappers that every use of one needs. */
import { ArtifactsError } from '../errors.ts'
import type { Io } from '../store/io/io.ts'
import { pathOfAddress, shownAddress } from '../store/remote-address.ts'
import type { Backend } from './backend.ts'
import { FileBackend } from './backends/file.ts'
import { HttpBackend } from './backends/http.ts'
import { limited } from './backends/limited.ts'
import { type Observer, observed } from './backends/observed.ts'
import { retrying } from './backends/retrying.ts'
import { S3Backend } from './backends/s3.ts'
import { singleWriter } from './backends/single-writer.ts'
import { TarBackend } from './backends/tar.ts'
import { volumesBeside } from './backends/tar-volume.ts'
import type { Variables } from './net/network.ts'

export interface OpenBackendOptions {
  readonly io: Io
  /** Credentials of buckets, endpoints, proxies, certificates. */
  readonly env: Variables
  /** The header by which a server behind HTTP knows who asks. It goes to no other origin. */
  readonly authorization?: string | undefined
  /** Requests at once; default 8. */
  readonly jobs?: number
  /** Hears of every request, those that are tried again too. */
  readonly onRequest?: Observer['onRequest']
  /** Hear of every byte once. */
  readonly onSent?: Observer['onSent']
  readonly onReceived?: Observer['onReceived']
  /** The owner promises that one machine writes at a time. */
  readonly isSingleWriter?: boolean
}

/**
 * Opens `s3://…`, `http(s)://…`, `file:///…`, a folder or a bundle by its absolute path.
 * @throws ArtifactsError ERR_USAGE for another address, ERR_CONFIG, ERR_DAMAGED for a bundle that is not whole
 */
export async function openBackend(address: string, options: OpenBackendOptions): Promise<Backend> {
  const { jobs = 8, onRequest, onSent, onReceived, isSingleWriter = false } = options
  const bare = await openBare(address, options, jobs)
  const counted = onRequest === undefined ? bare : observed(bare, { onRequest })
  const writer = isSingleWriter ? singleWriter(counted) : counted
  const patient = limited(retrying(writer), jobs)
  if (onSent === undefined && onReceived === undefined) return patient
  return observed(patient, {
    ...(onSent === undefined ? {} : { onSent }),
    ...(onReceived === undefined ? {} : { onReceived }),
  })
}

async function openBare(
  address: string,
  { io, env, authorization }: OpenBackendOptions,
  connections: number,
): Promise<Backend> {
  if (address.startsWith('s3://')) return S3Backend.open(address, { env, connections })
  if (/^https?:\/\//.test(address)) {
    return new HttpBackend(address, { env, connections, authorization })
  }
  const path = pathOf(address)
  return path.endsWith('.tar')
    ? TarBackend.open(volumesBeside(path))
    : new FileBackend(path, { io })
}

function pathOf(address: string): string {
  const path = pathOfAddress(address)
  if (path !== undefined) return path
  throw new ArtifactsError('ERR_USAGE', `"${shownAddress(address)}" is no address of a remote.`, {
    hint: 'Write `s3://BUCKET/PREFIX`, `https://HOST/PATH`, `file:///PATH`, or the path of a folder or a bundle.',
  })
}
