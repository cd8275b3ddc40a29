import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { type Program, programFinder } from './program'
import { freePort, type ServerProcess, type Start, startServerProcess } from './server-process'

const run = promisify(execFile)
const STARTS_WITHIN_MS = 120_000

/** Finds a RabbitMQ as Debian packages it, with its Erlang, or downloads one. */
export const rabbitProgram = programFinder({
  name: 'rabbitmq-server',
  variable: 'RABBITMQ_BIN',
  debianPackage: 'rabbitmq-server',
  unpacked: {
    packages: [
      'rabbitmq-server',
      ...['base', 'asn1', 'crypto', 'eldap', 'inets', 'mnesia', 'os-mon', 'parsetools', 'public-key'].map(erlang),
      ...['runtime-tools', 'ssl', 'syntax-tools', 'tools', 'xmerl'].map(erlang),
      'libssl3|libssl3t64',
      'libtinfo6',
    ],
    path: 'usr/sbin/rabbitmq-server',
  },
  async probe(program) {
    const { erlexec, env } = await installation(program)
    await run(erlexec, ['-noshell', '-eval', 'halt(0).'], { env: { ...env, HOME: '/nonexistent' } })
  },
})

/** Options of {@link startRabbitProcess}. */
export interface RabbitProcessOptions {
  /** What a JWT has to have as its audience. The names of scopes begin with it: `urn:rabbitmq.read:*` + `/*` for `urn:rabbitmq`. */
  readonly resource: string
  /** The public keys of the authorization server in PEM, by their `kid`. */
  readonly keys: Readonly<Record<string, string>>
  /**
   * A URL that says whether an opaque token is valid, in the protocol of RabbitMQ's HTTP backend: it gets the form parameters
   * `username` and `password` at `/user`, and responds `allow` or `deny`. Default: every opaque token is refused.
   */
  readonly verifier?: string
  /** Whether it speaks MQTT too, which takes its start five more seconds. Default false. */
  readonly mqtt?: boolean
}

/** A RabbitMQ whose clients log in with access tokens as their passwords. `port` is the one of AMQP. */
export interface RabbitProcess extends ServerProcess {
  readonly mqttPort: number
}

/**
 * Starts a RabbitMQ with its OAuth 2 plugin, and waits until it accepts connections.
 *
 * @throws Error when there is no RabbitMQ, or it does not start
 */
export async function startRabbitProcess(options: RabbitProcessOptions): Promise<RabbitProcess> {
  const program = await rabbitProgram()
  if (!program) throw new Error('no rabbitmq-server was found')
  const { erlexec, epmd, boot, home, ebin, env } = await installation(program)
  const plugins = [
    'rabbitmq_auth_backend_oauth2',
    'rabbitmq_auth_backend_http',
    ...(options.mqtt ? ['rabbitmq_mqtt'] : []),
  ]
  let mqttPort = 0
  const server = await startServerProcess({
    program: { path: 'sh', env },
    identify: { hasStarted, withinMs: STARTS_WITHIN_MS },
    async args(port, folder) {
      mqttPort = await freePort()
      const [epmdPort, distributionPort] = [await freePort(), await freePort()]
      await writeFile(join(folder, 'rabbitmq.conf'), await configuration(options, folder, port, mqttPort))
      await writeFile(join(folder, 'enabled_plugins'), `[${plugins}].`)
      await mkdir(join(folder, 'log'))
      const settings = {
        HOME: folder,
        ERL_EPMD_PORT: epmdPort,
        ERL_EPMD_ADDRESS: '127.0.0.1',
        ERL_LIBS: join(home, 'plugins'),
        SYS_PREFIX: folder,
        RABBITMQ_HOME: home,
        RABBITMQ_PLUGINS_DIR: join(home, 'plugins'),
        RABBITMQ_NODENAME: 'rabbit@localhost',
        RABBITMQ_DIST_PORT: distributionPort,
        RABBITMQ_CONF_ENV_FILE: join(folder, 'none'),
        RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
        RABBITMQ_ADVANCED_CONFIG_FILE: join(folder, 'advanced.config'),
        RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
        RABBITMQ_MNESIA_BASE: join(folder, 'data'),
        RABBITMQ_LOG_BASE: join(folder, 'log'),
        RABBITMQ_PID_FILE: join(folder, 'pid'),
      }
      // RabbitMQ would start its own port mapper, which would outlive it.
      const script = `export ${quoted(settings)}; "$0" -port ${epmdPort} -address 127.0.0.1 & exec "$@"`
      const erlang = ['-noinput', '-boot', boot, '-pa', ebin, '-s', 'rabbit', 'boot', '+W', 'w', '+B', 'i']
      const local = ['-kernel', 'inet_dist_use_interface', '{127,0,0,1}', 'prevent_overlapping_partitions', 'false']
      const quiet = ['-syslog', 'logger', '[]', '-syslog', 'syslog_error_logger', 'false']
      return ['-c', script, epmd, erlexec, ...erlang, ...local, ...quiet]
    },
  })
  return { ...server, mqttPort }
}

function erlang(name: string): string {
  return `erlang-${name}`
}

function quoted(settings: Readonly<Record<string, string | number>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}='${String(value).replaceAll("'", `'\\''`)}'`)
    .join(' ')
}

/**
 * The files of a RabbitMQ and its Erlang. Their own scripts contain absolute paths, and Debian's scripts demand a certain user. So
 * Erlang is started directly.
 */
async function installation({ path, env }: Program) {
  const root = resolve(path, '../../..')
  const erlangRoot = join(root, 'usr/lib/erlang')
  const runtime = join(erlangRoot, await only(erlangRoot, 'erts-'), 'bin')
  const servers = join(root, 'usr/lib/rabbitmq/lib')
  const home = join(servers, await only(servers, 'rabbitmq_server-'))
  return {
    home,
    ebin: join(home, 'plugins', await only(join(home, 'plugins'), 'rabbit-'), 'ebin'),
    boot: join(erlangRoot, 'bin/start_sasl'),
    erlexec: join(runtime, 'erlexec'),
    epmd: join(runtime, 'epmd'),
    env: { ...env, ROOTDIR: erlangRoot, BINDIR: runtime, EMU: 'beam', PROGNAME: 'erl' },
  }
}

async function only(folder: string, prefix: string): Promise<string> {
  const name = (await readdir(folder)).find((each) => each.startsWith(prefix))
  if (!name) throw new Error(`nothing in ${folder} begins with ${prefix}`)
  return name
}

async function configuration(
  { resource, keys, verifier, mqtt }: RabbitProcessOptions,
  folder: string,
  port: number,
  mqttPort: number,
): Promise<string> {
  const lines = [
    `listeners.tcp.1 = 127.0.0.1:${port}`,
    'log.console = false',
    'log.file = rabbit.log',
    // The defaults stop publishers on a machine that is small or full.
    'disk_free_limit.absolute = 1MB',
    'vm_memory_high_watermark.relative = 0.9',
    'auth_backends.1 = rabbit_auth_backend_oauth2',
    `auth_oauth2.resource_server_id = ${resource}`,
    'auth_oauth2.algorithms.1 = ES256',
  ]
  for (const [id, pem] of Object.entries(keys)) {
    const file = join(folder, `${id}.pem`)
    await writeFile(file, pem)
    lines.push(`auth_oauth2.signing_keys.${id} = ${file}`, `auth_oauth2.default_key = ${id}`)
  }
  if (mqtt) lines.push(`mqtt.listeners.tcp.1 = 127.0.0.1:${mqttPort}`, 'mqtt.allow_anonymous = false')
  if (verifier) {
    const paths = ['user', 'vhost', 'resource', 'topic'].map((name) => `auth_http.${name}_path = ${verifier}/${name}`)
    lines.push('auth_backends.2 = rabbit_auth_backend_http', 'auth_http.http_method = post', ...paths)
  }
  return `${lines.join('\n')}\n`
}

async function hasStarted(folder: string): Promise<Start> {
  const log = await readFile(join(folder, 'log/rabbit.log'), 'utf8').catch(() => '')
  if (log.includes('Server startup complete')) return 'done'
  return /BOOT FAILED|boot failed/.test(log) ? 'failed' : 'under way'
}
