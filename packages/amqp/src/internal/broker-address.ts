import { ConfigurationError, isLoopback, type TokenManager } from '@tokenward/core'
import type { Options } from 'amqplib'

/** Where a broker is, in both forms that amqplib takes. */
export type BrokerUrl = string | Options.Connect

/** A broker that tokens may go to. */
export interface BrokerAddress {
  /** What amqplib gets: a copy, so that what was checked is what is used. */
  readonly url: BrokerUrl
  /** `amqps://HOST:PORT` */
  readonly origin: string
  readonly username: string | undefined
}

/**
 * Checks where a token would go, and waits for a definition that is loaded late.
 *
 * @throws ConfigurationError when the URL is none of amqp(s), has a password, or would send the token in clear
 */
export async function checkBroker<Name extends string>(
  tokens: TokenManager<Name>,
  client: Name,
  given: BrokerUrl,
): Promise<BrokerAddress> {
  const address = readAddress(client, given)
  if (!isInClear(address) || tokens.allowsInsecureRequests(client)) return address
  await tokens.waitFor({ client, step: 'definition', run() {} })
  return refuseClearText(tokens, client, address)
}

/** Checks what can be checked at once: not the definition of a client that is loaded late. */
export function checkBrokerNow<Name extends string>(tokens: TokenManager<Name>, client: Name, given: BrokerUrl): void {
  const address = readAddress(client, given)
  if (tokens.allowsInsecureRequests(client) === false) refuseClearText(tokens, client, address)
}

/** Where a URL leads that was checked before: `amqps://HOST:PORT`. */
export function originOf(url: BrokerUrl): string {
  return readAddress('', url).origin
}

function refuseClearText<Name extends string>(
  tokens: TokenManager<Name>,
  client: Name,
  address: BrokerAddress,
): BrokerAddress {
  if (!isInClear(address) || tokens.allowsInsecureRequests(client)) return address
  throw problem(client, `would send tokens in clear to ${address.origin}; use amqps, or set allowInsecureRequests`)
}

function isInClear({ origin }: BrokerAddress): boolean {
  return origin.startsWith('amqp:') && !isLoopback(hostnameOf(origin))
}

function hostnameOf(origin: string): string {
  return new URL(origin).hostname
}

function readAddress(client: string, given: BrokerUrl): BrokerAddress {
  const isObject = typeof given === 'object' && given !== null
  const url = isObject ? { ...given } : given
  const parts = isObject ? partsOf(given) : parse(given)
  if (!parts) throw problem(client, 'must be an amqp(s) URL')
  const { protocol, hostname, port, username, password } = parts
  if (protocol !== 'amqps:' && protocol !== 'amqp:') throw problem(client, 'must be an amqp(s) URL')
  if (!hostname) throw problem(client, 'names no host')
  if (password) throw problem(client, 'has a password: remove it, because the token is the password')
  const origin = `${protocol}//${hostname}:${port || (protocol === 'amqps:' ? 5671 : 5672)}`
  if (!URL.canParse(origin)) throw problem(client, 'names no host')
  return { url, origin, username: (isObject ? username : decoded(client, username)) || undefined }
}

function decoded(client: string, username: string | undefined): string | undefined {
  try {
    return username && decodeURIComponent(username)
  } catch {
    throw problem(client, 'has a user name with a % that is not part of a percent-encoding: write %25')
  }
}

function parse(url: unknown): URL | undefined {
  return typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined
}

function partsOf({ protocol = 'amqp', hostname = '', port, username, password, credentials }: Options.Connect) {
  return {
    protocol: `${protocol}:`,
    hostname: hostname.includes(':') && !hostname.startsWith('[') ? `[${hostname}]` : hostname,
    port,
    username,
    password: password ?? credentials?.password,
  }
}

/** The URL itself is not repeated: it may have a password. */
function problem(client: string, message: string): ConfigurationError {
  return new ConfigurationError([{ client, option: 'url', message }])
}
