import { library } from '../../tsup.config'

export default [
  library({
    entry: ['src/index.ts', 'src/main.ts', 'src/member.ts'],
    platform: 'node',
    dts: { entry: 'src/index.ts' },
    clean: ['!page/**'],
  }),
  // The page of the live view: its script, and the files that it is served with.
  library({
    entry: ['src/page/page.ts'],
    outDir: 'dist/page',
    publicDir: 'src/page/static',
    platform: 'browser',
    target: 'es2023',
    dts: false,
    sourcemap: false,
  }),
]
