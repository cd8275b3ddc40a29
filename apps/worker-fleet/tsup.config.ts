import { library } from '../../tsup.config'

export default library({ entry: ['src/main.ts', 'src/member.ts'], platform: 'node', dts: false })
