import { library } from '../../tsup.config'

export default library({ entry: ['src/index.ts', 'src/main.ts'], platform: 'node' })
