import { library } from '../../tsup.config'

export default library({ entry: ['src/main.ts', 'src/cron-job.ts'], platform: 'node', dts: false })
