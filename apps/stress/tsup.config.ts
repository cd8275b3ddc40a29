import { library } from '../../tsup.config'

export default library({ entry: ['src/main.ts', 'src/endurance.ts'], platform: 'node', dts: false })
