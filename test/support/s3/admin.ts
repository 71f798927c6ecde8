/** What only tests do to an S3 server: making buckets, keeping versions. Signed by the library, sent by `fetch`. */
import { AwsClient } from 'aws4fetch'
import type { Rgw } from './rgw.ts'

export interface Admin {
  makeBucket(name: string, options?: { readonly versioned?: boolean }): Promise<void>
  put(bucket: string, key: string, body: string, headers?: Record<string, string>): Promise<void>
  remove(bucket: string, key: string): Promise<void>
}

export function adminOf({ url, env }: Rgw): Admin {
  const client = new AwsClient({
    accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
    service: 's3',
    region: env['AWS_REGION'] ?? 'default',
    retries: 0,
  })
  const send = async (method: string, path: string, init: RequestInit = {}): Promise<void> => {
    const answer = await client.fetch(`${url}/${path}`, { ...init, method })
    const said = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${said}`)
  }
  const pathOf = (bucket: string, key: string): string =>
    [bucket, ...key.split('/')].map(encodeURIComponent).join('/')
  return {
    async makeBucket(name, { versioned = false } = {}) {
      await send('PUT', name)
      if (!versioned) return
      const body = `<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>`
      await send('PUT', `${name}?versioning=`, { body })
    },
    put: (bucket, key, body, headers = {}) => send('PUT', pathOf(bucket, key), { body, headers }),
    remove: (bucket, key) => send('DELETE', pathOf(bucket, key)),
  }
}
