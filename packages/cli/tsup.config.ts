import { library } from '../../tsup.config'

export default library({
  entry: ['src/index.ts', 'src/main.ts'],
  dts: { entry: 'src/index.ts' },
  platform: 'node',
  // A workspace that is not published. Its own dependencies are dependencies of this package.
  noExternal: ['@tokenward/identity-provider'],
})
