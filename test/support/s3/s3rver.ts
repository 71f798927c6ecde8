/** s3rver on loopback: a server that speaks S3, overwrites in spite of conditions, and keeps uploads that broke off. */
import { createRequire } from 'node:module'
import { temporaryDirectory } from '../temp.ts'
import type { Rgw } from './rgw.ts'

/** What is used of it; it comes without types. */
interface S3rver {
  run(): Promise<{ readonly port: number }>
  close(): Promise<void>
}
type NewS3rver = new (options: object) => S3rver

/** With one bucket. */
export async function startS3rver(bucket: string): Promise<Rgw> {
  const directory = await temporaryDirectory()
  const Server = createRequire(import.meta.url)('s3rver') as NewS3rver
  const server = new Server({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory: directory.path,
    configureBuckets: [{ name: bucket, configs: [] }],
  })
  const { port } = await server.run()
  const url = `http://127.0.0.1:${port}`
  const env = {
    AWS_ENDPOINT_URL_S3: url,
    AWS_ACCESS_KEY_ID: 'S3RVER',
    AWS_SECRET_ACCESS_KEY: 'S3RVER',
    AWS_REGION: 'us-east-1',
    HOME: directory.path,
  }
  return {
    url,
    env,
    async [Symbol.asyncDispose]() {
      await server.close()
      await directory[Symbol.asyncDispose]()
    },
  }
}
