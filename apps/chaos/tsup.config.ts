import { library } from '../../tsup.config'

export default library({ entry: ['src/main.ts'], platform: 'node', dts: false })
