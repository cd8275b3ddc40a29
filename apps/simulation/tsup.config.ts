import { library } from '../../tsup.config'

export default library({ entry: ['src/main.ts', 'src/searcher.ts'], platform: 'node', dts: false })
