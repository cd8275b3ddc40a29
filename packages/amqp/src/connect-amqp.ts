import type { TokenManager } from '@tokenward/core'
import { type ChannelModel, connect, type Options, type RecoveringChannelModel, type RecoveryOptions } from 'amqplib'
import { checkBroker } from './internal/broker-address'
import { BrokerLogin, isRefusedLogin } from './internal/broker-login'
import type { AmqpOptions } from './options'

/**
 * Connects to a broker as `amqplib.connect` does, with an access token as the password. The connection gets each new token before the
 * old one expires, until it closes. When the broker refuses the token, one new token is requested and the login tried once more.
 *
 * With amqplib's option `recovery`, each reconnection logs in with the newest token.
 *
 * @example
 * const connection = await connectAmqp(tokens, 'broker.client', 'amqps://broker.company.com')
 *
 * @param url as `amqplib.connect` takes it, without a password
 * @param options those of `amqplib.connect`, and how the connection logs in
 * @throws ConfigurationError when the URL is wrong, has a password, or would send the token in clear
 * @throws TokenRequestError when no token can be had
 */
export function connectAmqp<Name extends string>(
  tokens: TokenManager<Name>,
  client: NoInfer<Name>,
  url: string | Options.Connect,
  options: AmqpOptions & { recovery: RecoveryOptions | true },
): Promise<RecoveringChannelModel>
export function connectAmqp<Name extends string>(
  tokens: TokenManager<Name>,
  client: NoInfer<Name>,
  url: string | Options.Connect,
  options?: AmqpOptions,
): Promise<ChannelModel>
export async function connectAmqp<Name extends string>(
  tokens: TokenManager<Name>,
  client: Name,
  url: string | Options.Connect,
  options: AmqpOptions & { recovery?: RecoveryOptions | true } = {},
): Promise<ChannelModel | RecoveringChannelModel> {
  const { username, tokenParameters, onError, recovery, ...socketOptions } = options
  const broker = await checkBroker(tokens, client, url)
  const login = new BrokerLogin(tokens, client, { username, tokenParameters, onError })
  await login.prepare()
  const withCredentials = { ...socketOptions, credentials: login.credentials(broker.username) }
  if (isEnabled(recovery)) {
    return recover(login, broker.origin, recovery, (recovery) => connect(broker.url, { ...withCredentials, recovery }))
  }
  const open = () => connect(broker.url, withCredentials)
  const connection = await open().catch(async (error) => {
    if (!isRefusedLogin(error) || !(await login.refused(broker.origin))) throw error
    return open().catch((second) => {
      if (isRefusedLogin(second)) login.refusedAgain(broker.origin)
      throw second
    })
  })
  connection.once('close', () => login.stop())
  try {
    login.attach(connection, broker.origin)
  } catch (error) {
    // The manager was closed meanwhile.
    await connection.close().catch(() => {})
    throw error
  }
  return connection
}

function isEnabled(recovery: RecoveryOptions | true | undefined): recovery is RecoveryOptions | true {
  return recovery === true || (Boolean(recovery) && (recovery as { enabled?: boolean }).enabled !== false)
}

async function recover<Name extends string>(
  login: BrokerLogin<Name>,
  origin: string,
  options: RecoveryOptions | true,
  open: (recovery: RecoveryOptions) => Promise<RecoveringChannelModel>,
): Promise<RecoveringChannelModel> {
  const { waitForConnect = true, ...recovery } = options === true ? {} : options
  // What it throws is thrown before there is a connection.
  login.keepFresh()
  // Listens before the first login, which may already be refused.
  const connection = await open({ ...recovery, waitForConnect: false }).catch((error) => {
    login.stop()
    throw error
  })
  connection.on('connect', (model) => login.attachAgain(model, origin))
  connection.on('connect-failed', (error) => {
    if (isRefusedLogin(error)) void login.refused(origin)
  })
  connection.on('reconnect-failed', () => login.stop())
  // It has no event for its end.
  const close = connection.close.bind(connection)
  connection.close = () => close().finally(() => login.stop())
  return waitForConnect ? connection.waitForConnect() : connection
}
