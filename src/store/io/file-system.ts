/** What kind of file system something lies on, as far as the system tells. */
import { statfsSync } from 'node:fs'

/**
 * `f_type` of statfs(2), of file systems that more than one host can have mounted, or that pass memory maps and locks
 * through a program of their own (FUSE).
 */
const SHARED_FILE_SYSTEMS: ReadonlySet<number> = new Set([
  0x6969, // nfs
  0x517b, // smb
  0xff534d42, // cifs
  0xfe534d42, // smb2
  0x65735546, // fuse
  0x01021997, // 9p
  0x5346414f, // afs
  0x6b414653, // afs (kernel)
  0x73757245, // coda
  0x00c36400, // ceph
  0x0bd00bd0, // lustre
  0x47504653, // gpfs
  0x7461636f, // ocfs2
  0x01161970, // gfs2
  0x786f4256, // vboxsf
])

/** Whether processes of other hosts may have this directory mounted: then SQLite's WAL does not work, and names may be seen late. */
export function isShared(directory: string): boolean {
  return SHARED_FILE_SYSTEMS.has(fileSystemType(directory))
}

/** `f_type` of statfs(2); 0 elsewhere: other systems use the same numbers for other file systems. */
export function fileSystemType(directory: string): number {
  return process.platform === 'linux' ? statfsSync(directory).type >>> 0 : 0
}
