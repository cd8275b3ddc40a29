import { library } from '../../tsup.config'

export default library({
  entry: ['src/index.ts', 'src/main.ts', 'src/searcher.ts'],
  platform: 'node',
  dts: { entry: 'src/index.ts' },
})
