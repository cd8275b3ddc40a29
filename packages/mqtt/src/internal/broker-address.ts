import { ConfigurationError, isLoopback, type TokenManager } from '@tokenward/core'
import type { MqttOptions } from '../options'

/** Whether a token on its way by this protocol can be read by others. */
const IN_CLEAR: Readonly<Record<string, boolean>> = {
  ...{ mqtt: true, tcp: true, ws: true },
  ...{ mqtts: false, ssl: false, tls: false, wss: false },
}

/** Where a broker is. */
export interface BrokerAddress {
  /** The part of the options of MQTT.js that says where it connects to. It gets no URL, because it might read one in another way. */
  readonly options: Pick<MqttOptions, 'protocol' | 'host' | 'port' | 'path' | 'query'>
  /** The user name in the URL. */
  readonly username: string | undefined
  /** As what the token manager knows the broker: `mqtts://HOST:PORT`. */
  readonly origin: string
  /** The machines that would get the token in clear. */
  readonly remoteInClear: readonly string[]
}

/** @throws ConfigurationError when the URL is none of a broker, or there is a password beside the token */
export function readAddress(client: string, given: string | URL, options: MqttOptions): BrokerAddress {
  const url = URL.canParse(String(given)) ? new URL(String(given)) : undefined
  const protocol = url?.protocol.slice(0, -1) ?? ''
  if (!url || !Object.hasOwn(IN_CLEAR, protocol)) throw problem(client, 'url', 'must be an mqtt(s) or ws(s) URL')
  if (!url.hostname) throw problem(client, 'url', 'names no host')
  for (const [option, hasPassword] of [
    ['url', url.password !== ''],
    ['password', 'password' in options],
    ['auth', 'auth' in options],
  ] as const) {
    if (hasPassword) throw problem(client, option, 'has a password: remove it, because the token is the password')
  }
  const isWebSocket = protocol.startsWith('ws')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return {
    options: {
      protocol: protocol as NonNullable<MqttOptions['protocol']>,
      host,
      ...(url.port && { port: Number(url.port) }),
      ...(isWebSocket && { path: url.pathname + url.search }),
      query: Object.fromEntries(url.searchParams),
    },
    username: usernameOf(client, url),
    origin: `${protocol}://${url.host}`,
    remoteInClear: remoteInClear(protocol, host, options),
  }
}

function usernameOf(client: string, { username }: URL): string | undefined {
  try {
    return username ? decodeURIComponent(username) : undefined
  } catch {
    throw problem(client, 'url', 'has a user name with a % that is not part of a percent-encoding: write %25')
  }
}

/** Options of MQTT.js win over its URL, so they count too. */
function remoteInClear(protocolOfUrl: string, hostOfUrl: string, options: MqttOptions): string[] {
  const {
    protocol = protocolOfUrl,
    host = hostOfUrl,
    hostname,
    servers = [],
    // MQTT.js uses the proxy of the environment when the options name none.
    socksProxy = globalThis.process?.env?.MQTTJS_SOCKS_PROXY,
  } = options as MqttOptions & {
    hostname?: string
  }
  const targets = [
    { protocol, host },
    ...(hostname === undefined ? [] : [{ protocol, host: hostname }]),
    ...servers.map((server) => ({ protocol: server.protocol ?? protocol, host: server.host })),
  ]
  // Behind a proxy, `localhost` is another machine. Connections to WebSocket do not use it.
  const isProxied = (protocol: string) => Boolean(socksProxy) && !protocol.startsWith('ws')
  return targets
    .filter(({ protocol }) => IN_CLEAR[protocol] !== false)
    .filter(({ protocol, host }) => !isLoopback(host) || isProxied(protocol))
    .map(({ protocol, host }) => (isProxied(protocol) ? `${host} by a SOCKS proxy` : host))
}

/**
 * Checks that no token would travel in clear to another machine.
 *
 * @throws ConfigurationError otherwise, unless the client's definition has `allowInsecureRequests`
 */
export async function checkClearText<Name extends string>(
  tokens: TokenManager<Name>,
  client: Name,
  address: BrokerAddress,
): Promise<void> {
  if (address.remoteInClear.length === 0 || tokens.allowsInsecureRequests(client)) return
  // A definition that is loaded late.
  await tokens.waitFor({ client, step: 'definition', run() {} })
  if (!tokens.allowsInsecureRequests(client)) throw inClear(client, address)
}

function inClear(client: string, { remoteInClear: [host] }: BrokerAddress): ConfigurationError {
  return problem(client, 'url', `would send tokens in clear to ${host}; use mqtts or wss, or set allowInsecureRequests`)
}

/** The URL itself is not repeated: it may have a password. */
function problem(client: string, option: string, message: string): ConfigurationError {
  return new ConfigurationError([{ client, option, message }])
}
