import { ConfigurationError, type TokenManager } from '@tokenward/core'
import type { Options as AmqplibOptions } from 'amqplib'
import { type BrokerAddress, type BrokerUrl, checkBroker, checkBrokerNow, originOf } from './internal/broker-address'
import { type BrokerConnection, BrokerLogin, isRefusedLogin } from './internal/broker-login'
import type { LoginOptions } from './options'

/** A broker, in the forms that amqp-connection-manager takes. */
export type AmqpServer = string | AmqplibOptions.Connect | { url: string; connectionOptions?: object | undefined }

/** Brokers, or a function that finds them for each round of attempts to connect. */
export type AmqpServers =
  | AmqpServer
  | readonly AmqpServer[]
  | (() => AmqpServer | readonly AmqpServer[] | Promise<AmqpServer | readonly AmqpServer[]>)

/** What comes with the events `connect` and `connectFailed`. */
interface ManagerEvent {
  readonly connection: BrokerConnection
  readonly url: BrokerUrl
  readonly err: Error
}

/** What amqp-connection-manager connects with. Its types are not imported, because amqplib can be used without it. */
export interface AmqpManager {
  on(event: string, listener: (event: ManagerEvent) => void): unknown
  close(): Promise<void>
}

/**
 * Connects by amqp-connection-manager, with an access token as the password. Each connection logs in with the newest token, and gets
 * each new one before the old one expires. When a broker refuses the token, the next attempt has a new one.
 *
 * @example
 * import { connect } from 'amqp-connection-manager'
 * const manager = createAmqpManager(connect, tokens, 'broker.client', ['amqps://broker.company.com'])
 *
 * @param connect the `connect` of amqp-connection-manager
 * @param servers its `urls`, without passwords, or a function that returns them
 * @param options its options, and how connections log in
 * @throws ConfigurationError when a URL is wrong, has a password, or would send the token in clear. What only turns out later is the
 * error of its event `connectFailed`.
 */
export function createAmqpManager<Name extends string, Options extends object, Manager extends AmqpManager>(
  connect: (urls: undefined, options?: Options) => Manager,
  tokens: TokenManager<Name>,
  client: NoInfer<Name>,
  servers: AmqpServers,
  options: Omit<NoInfer<Options>, 'findServers'> & LoginOptions = {} as never,
): Manager {
  const { username, tokenParameters, onError, connectionOptions, ...managerOptions } = options as LoginOptions & {
    connectionOptions?: object
  }
  if ('findServers' in managerOptions) {
    throw new ConfigurationError([{ client, option: 'findServers', message: 'pass the function as the servers' }])
  }
  const named = typeof servers === 'function' ? undefined : listOf(servers).map(copyOf)
  for (const server of named ?? []) checkBrokerNow(tokens, client, urlOf(server))
  const login = new BrokerLogin(tokens, client, { username, tokenParameters, onError })
  const { heartbeatIntervalInSeconds: heartbeat = HEARTBEAT_SECONDS } = managerOptions as {
    heartbeatIntervalInSeconds?: number
  }

  async function findServers() {
    const found = named ?? listOf(await (servers as () => Promise<AmqpServer>)()).map(copyOf)
    const addresses = await Promise.all(found.map((server) => checkBroker(tokens, client, urlOf(server))))
    await login.prepare()
    return found.map((server, index) => {
      const { url, username } = addresses[index] as BrokerAddress
      const own = typeof server === 'object' && 'url' in server ? server.connectionOptions : undefined
      const credentials = login.credentials(username)
      // amqp-connection-manager adds its heartbeat to URLs only.
      const target = typeof url === 'object' ? { heartbeat, ...url } : url
      return { url: target, connectionOptions: { ...(own ?? connectionOptions), credentials } }
    })
  }

  // What it throws is thrown before there is a manager that would connect again and again.
  login.keepFresh()
  let manager: Manager
  try {
    manager = connect(undefined, { ...managerOptions, findServers } as unknown as Options)
  } catch (error) {
    login.stop()
    throw error
  }
  manager.on('connect', ({ connection, url }) => login.attachAgain(connection, originOf(url)))
  manager.on('connectFailed', ({ err, url }) => {
    if (isRefusedLogin(err)) void login.refused(originOf(url))
  })
  // It has no event for its end.
  const close = manager.close.bind(manager)
  manager.close = () => close().finally(() => login.stop())
  return manager
}

/** What amqp-connection-manager uses when its option `heartbeatIntervalInSeconds` is missing. */
const HEARTBEAT_SECONDS = 5

function listOf(servers: AmqpServer | readonly AmqpServer[]): readonly AmqpServer[] {
  return Array.isArray(servers) ? servers : [servers as AmqpServer]
}

/** The caller may change its objects later. */
function copyOf(server: AmqpServer): AmqpServer {
  return typeof server === 'object' && server !== null ? { ...server } : server
}

function urlOf(server: AmqpServer): BrokerUrl {
  return typeof server === 'object' && server !== null && 'url' in server ? server.url : server
}
