/** OpenStack Swift on loopback: a real server of S3 that refuses conditional writes. As rgw.ts. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from '../temp.ts'
import { answers, end, freePorts, type Rgw, run, without } from './rgw.ts'

const ROOT = `/var/tmp/artifacts-test-swift-${process.getuid?.() ?? 0}`
const SERVERS = ['proxy', 'account', 'container', 'object', 'memcached']

/** Undefined where there is no way to it, with a note why. */
export async function startSwift(): Promise<Rgw | undefined> {
  const problem = run('swift-unpack.sh', [ROOT], 300_000)
  if (problem !== undefined) return without(problem)
  const directory = await temporaryDirectory()
  const data = join(directory.path, 'swift')
  mkdirSync(data)
  const port = await freePorts(5)
  const stop = async (): Promise<void> => {
    for (const name of SERVERS) await end(join(data, `${name}.pid`))
    await directory[Symbol.asyncDispose]()
  }
  const url = `http://127.0.0.1:${port}`
  const failure = run('swift-up.sh', [ROOT, data, String(port)], 100_000)
  if (failure !== undefined || !(await answers(`${url}/healthcheck`))) {
    await stop()
    return without(failure ?? 'Swift does not answer')
  }
  const env = {
    AWS_ENDPOINT_URL_S3: url,
    AWS_ACCESS_KEY_ID: 'test:tester',
    AWS_SECRET_ACCESS_KEY: 'testing',
    AWS_REGION: 'us-east-1',
    HOME: directory.path,
  }
  return { url, env, [Symbol.asyncDispose]: stop }
}
