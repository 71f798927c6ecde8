/** The version, without the library around it: `--version` should cost no more than starting Node. */
// biome-ignore lint/style/noRestrictedImports: a constant, in a file that imports nothing
export { VERSION } from '../version.ts'
