/** Which files look like secrets: those by the name of `.env`, and private keys in PEM (RFC 7468: the first line says what follows). */
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { isSystemError } from '../../errors.ts'

const HEAD_BYTES = 64
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

export function isSecretName(name: string): boolean {
  return name === '.env'
}

/** Asks the first bytes of a file. */
export function isPrivateKey(bytes: Buffer): boolean {
  return (
    bytes[0] === 0x2d &&
    /^-----BEGIN [A-Z0-9 ]*PRIVATE KEY/.test(bytes.toString('latin1', 0, HEAD_BYTES))
  )
}

/** Looks into a file whose content is known without reading it. One that can't be opened is taken for no key. */
export function isPrivateKeyFile(path: string): boolean {
  try {
    const fd = openSync(path, OPEN_FLAGS)
    try {
      const head = Buffer.alloc(HEAD_BYTES)
      return isPrivateKey(head.subarray(0, readSync(fd, head)))
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EPERM', 'ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR', 'ENXIO')) {
      return false
    }
    throw error
  }
}
