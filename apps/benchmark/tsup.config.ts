import { library } from '../../tsup.config'

export default library({ entry: ['src/main.ts', 'src/server.ts'], platform: 'node', dts: false })
