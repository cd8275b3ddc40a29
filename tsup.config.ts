import { defineConfig, type Options } from 'tsup'

/** How every package is built; a package's own tsup.config.ts passes what differs. */
export function library(options: Options = {}): ReturnType<typeof defineConfig> {
  return defineConfig({
    entry: ['src/index.ts'],
    format: ['esm'],
    target: 'node20',
    platform: 'neutral',
    dts: true,
    sourcemap: true,
    clean: true,
    ...options,
  })
}
