import { rmSync } from 'node:fs'

/**
 * Joins the modules of the program and of its worker threads into a few files: loading a hundred modules costs 45 ms at
 * every start. Packages stay outside. The library is published as the compiler wrote it.
 */
export default {
  input: {
    artifacts: 'dist/cli/bin.js',
    worker: 'dist/store/ingest/worker.js',
    'parquet-worker': 'dist/content-diff/parquet-worker.js',
  },
  external: (id) => !id.startsWith('.') && !id.startsWith('/'),
  output: { dir: 'dist/program', format: 'es', entryFileNames: '[name].js', sourcemap: true },
  // Files are named by their content: those of earlier builds would stay.
  plugins: [
    {
      name: 'clean',
      generateBundle: ({ dir }) => rmSync(dir, { recursive: true, force: true }),
    },
  ],
  // What the compiler writes for `using` begins with `this`, which is undefined in a module, as it expects.
  onwarn: (warning, warn) => {
    if (warning.code !== 'THIS_IS_UNDEFINED') warn(warning)
  },
}
