export { ask } from './ask'
export { chromiumProgram } from './chromium'
export { type FaultProxy, startFaultProxy } from './fault-proxy'
export { type MemcachedProcessOptions, memcachedProgram, startMemcachedProcess } from './memcached-process'
export { commandsDuring, type SeenCommand } from './monitor'
export { type Program, type ProgramSource, programFinder, type UnpackedSource } from './program'
export { type PrometheusProcessOptions, prometheusProgram, startPrometheusProcess } from './prometheus-process'
export {
  type RabbitProcess,
  type RabbitProcessOptions,
  rabbitProgram,
  startRabbitProcess,
} from './rabbitmq-process'
export { hasRedis, startRedis, type TestRedis } from './redis'
export { startCluster, type TestCluster } from './redis-cluster'
export { type RedisProcessOptions, redisProgram, startRedisProcess } from './redis-process'
export { startSentinel, type TestSentinel } from './redis-sentinel'
export { freePort, type ServerProcess, type ServerProcessOptions, startServerProcess } from './server-process'
export { until } from './until'
