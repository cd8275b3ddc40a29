// Bundles portable.mjs as a user's project would, for each kind of platform. The bundlers are loaded from `resolveFrom`, because
// webpack is only installed when scripts/runtimes.mjs needs it.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The export conditions of each platform, after what the bundler itself adds. */
export const TARGETS = {
  node: ['node'],
  edge: ['edge-light', 'worker', 'browser'],
  worker: ['workerd', 'worker', 'browser'],
}

const BUNDLERS = {
  async esbuild({ build }, { entry, outDir, target }) {
    await build({
      entryPoints: [entry],
      outfile: join(outDir, 'bundle.mjs'),
      bundle: true,
      format: 'esm',
      target: 'es2022',
      platform: target === 'node' ? 'node' : 'browser',
      conditions: TARGETS[target],
      mainFields: ['module', 'main'],
      logLevel: 'error',
    })
  },

  async vite({ build }, { entry, outDir, target }) {
    const output = { entryFileNames: 'bundle.mjs' }
    await build({
      configFile: false,
      logLevel: 'error',
      root: join(entry, '..'),
      build: { ssr: entry, outDir, emptyOutDir: false, target: 'es2022', rollupOptions: { output } },
      ssr: {
        noExternal: true,
        target: target === 'node' ? 'node' : 'webworker',
        resolve: { conditions: [...TARGETS[target], 'import', 'module', 'default'] },
      },
    })
  },

  async webpack({ default: webpack }, { entry, outDir, target }) {
    const compiler = webpack({
      mode: 'production',
      entry,
      target: target === 'node' ? ['node20', 'es2022'] : ['webworker', 'es2022'],
      experiments: { outputModule: true },
      output: { path: outDir, filename: 'bundle.mjs', library: { type: 'module' }, chunkFormat: 'module' },
      resolve: { conditionNames: [...TARGETS[target], 'import', 'module', 'default'] },
      performance: { hints: false },
    })
    const stats = await new Promise((resolve, reject) => {
      compiler.run((error, result) => (error ? reject(error) : resolve(result)))
    })
    await new Promise((resolve) => compiler.close(resolve))
    if (stats.hasErrors()) throw new Error(stats.toString({ all: false, errors: true }))
  },
}

export const bundlers = Object.keys(BUNDLERS)

/**
 * Bundles `entry` into `outDir/bundle.mjs`. A bundle for a platform that is not Node must not need Node.
 *
 * @returns {Promise<string>} the path of the bundle
 */
export async function bundle(bundler, { entry, outDir, target, resolveFrom }) {
  const require = createRequire(join(resolveFrom, 'package.json'))
  const module = await import(pathToFileURL(require.resolve(bundler)).href)
  await BUNDLERS[bundler](module, { entry, outDir, target })
  const path = join(outDir, 'bundle.mjs')
  const needed = readFileSync(path, 'utf8').match(/(?:\bfrom|\bimport|\brequire\()\s*["'](?:node:)?[a-z_/]+["']/g)
  if (target !== 'node' && needed) throw new Error(`the bundle for ${target} needs ${needed.join(', ')}`)
  return path
}
