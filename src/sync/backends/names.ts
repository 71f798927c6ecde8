/** The names that files of a remote have (docs/remote.md section 1). They are made here; another one is our mistake. */

const PART = '[A-Za-z0-9_-][A-Za-z0-9._-]*'
const FILE = new RegExp(`^(?:${PART}/)*${PART}$`)
const FOLDER = new RegExp(`^(?:${PART}/)+$`)

export function isFileName(name: string): boolean {
  return FILE.test(name) && name.length <= 255
}

export function checkFileName(name: string): string {
  if (!isFileName(name)) throw new Error(`no name of a remote's file: ${JSON.stringify(name)}`)
  return name
}

/** A folder ends with a slash. */
export function checkFolderName(folder: string): string {
  if (!FOLDER.test(folder))
    throw new Error(`no name of a remote's folder: ${JSON.stringify(folder)}`)
  return folder
}
