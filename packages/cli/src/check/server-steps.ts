import type { CheckStep } from '../check-report'
import type { ReadyClient } from '../definition/client-definition'
import { certificateWarnings, explainCertificate } from './explain-certificate'
import { explainConnection, explainDns } from './explain-connection'
import { hostOf, type ProbeFailure, portOf, probeConnection, probeDns, probeTls } from './probe'
import { proxyFor } from './proxy'
import { failed, passed } from './step'

/** Whether the server of a URL can be reached: DNS, connection and TLS. */
export async function* serverSteps(
  url: URL,
  { timeoutMs, tls }: Pick<ReadyClient, 'timeoutMs' | 'tls'>,
  environment: Readonly<Record<string, string | undefined>>,
): AsyncGenerator<CheckStep> {
  const proxy = proxyFor(url, environment)
  if (proxy.used) {
    const summary = `requests to ${url.host} go through the proxy of ${proxy.variable}, so its address is not checked here`
    yield passed('connection', summary, { url: url.origin, proxy: proxy.variable })
    return
  }
  const host = hostOf(url)
  const addresses = await probeDns(url, timeoutMs)
  if (addresses !== undefined) {
    if ('code' in addresses) {
      yield failed('dns', explainDns(addresses.code, host), { host })
      return
    }
    yield passed('dns', `${host} is ${list(addresses)}`, { host, addresses })
  }
  const at = `${host}:${portOf(url)}`
  const failure = await probeConnection(url, timeoutMs)
  if (failure) {
    yield failed('connection', explainConnection(failure.code, url, proxy.variable), { url: url.origin })
    return
  }
  const isEncrypted = url.protocol === 'https:'
  const plain = isEncrypted ? '' : ', by plain http'
  yield passed('connection', `${at} accepts connections${plain}`, { url: url.origin })
  if (!isEncrypted) return
  const certificate = await probeTls(url, timeoutMs, tls)
  if (isFailure(certificate)) {
    yield failed('tls', explainConnection(certificate.code, url, proxy.variable), { url: url.origin })
    return
  }
  const { validFrom, validTo, ...facts } = certificate
  const details = { url: url.origin, ...facts, validFrom: validFrom.toISOString(), validTo: validTo.toISOString() }
  const explanation = explainCertificate(certificate, host, Date.now())
  if (explanation && environment.NODE_TLS_REJECT_UNAUTHORIZED !== '0') {
    yield failed('tls', explanation, details)
    return
  }
  const summary = `${certificate.protocol}, a certificate for ${list(certificate.names)} by '${certificate.issuer}', valid until ${day(validTo)}`
  yield passed('tls', summary, details, certificateWarnings(certificate, environment, Date.now()))
}

function isFailure<T extends object>(result: T | ProbeFailure): result is ProbeFailure {
  return 'code' in result
}

function list(values: readonly string[]): string {
  const shown = values.slice(0, 3).join(', ')
  return values.length > 3 ? `${shown} and ${values.length - 3} more` : shown || 'no name'
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10)
}
