import { library } from '../../tsup.config'

export default library({
  // In one folder, where the processes find each other's files.
  entry: {
    main: 'src/main.ts',
    'server-process': 'src/server/server-process.ts',
    floor: 'src/floor/main.ts',
    growth: 'src/growth/main.ts',
    'worker-process': 'src/worker/worker-process.ts',
    proxy: 'src/proxy/main.ts',
    'plain-proxy': 'src/proxy/plain-proxy.ts',
  },
  platform: 'node',
  dts: false,
})
