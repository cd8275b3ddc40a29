import { portOf } from './probe'
import type { Explanation } from './step'

/** @param code of the platform's resolver */
export function explainDns(code: string, host: string): Explanation {
  if (code === 'ENOTFOUND') {
    return {
      error: code,
      summary: `no address was found for ${host}`,
      meaning: 'DNS does not know this host, so no request can be sent.',
      remedies: [
        `Check the spelling of ${host}.`,
        'An internal name is known only inside its network: connect the VPN, or run this where the worker runs (the container, the pod).',
      ],
    }
  }
  return {
    error: code,
    summary: `the address of ${host} could not be looked up (${code})`,
    meaning: 'The DNS server did not respond. That says nothing about the host.',
    remedies: [
      'Check the network connection of this machine.',
      'In a container: check its DNS settings (/etc/resolv.conf), and network policies that block port 53.',
    ],
  }
}

/** @param code of the platform, for a connection or a TLS handshake that failed */
export function explainConnection(code: string, url: URL, proxyVariable: string | undefined): Explanation {
  const at = `${url.hostname}:${portOf(url)}`
  const proxy = proxyVariable
    ? [`${proxyVariable} is set, but Node's fetch ignores it. Node 24 or later uses it with NODE_USE_ENV_PROXY=1.`]
    : []
  const explanation = (summary: string, meaning: string, remedies: string[]): Explanation => ({
    error: code,
    summary: `${summary} (${code})`,
    meaning,
    remedies: [...remedies, ...proxy],
  })
  switch (code) {
    case 'ECONNREFUSED':
      return explanation(`${at} refuses connections`, 'The host is there, but nothing listens on this port.', [
        'Start the server, or wait until it is up.',
        `Check the port: the URL has ${portOf(url)}.`,
        'In a container, localhost and 127.0.0.1 are the container itself: use the name of the service.',
      ])
    case 'ETIMEDOUT':
      return explanation(`${at} does not respond`, 'A firewall drops the packets, or the host is down.', [
        'Check firewalls, security groups and network policies between this machine and the server.',
        'A slow network needs a longer time limit: --timeout-ms.',
      ])
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return explanation(`there is no route to ${at}`, 'This machine is not connected to the network of the server.', [
        'Connect the VPN, or run this where the worker runs.',
      ])
    case 'ECONNRESET':
      return explanation(`${at} closed the connection`, 'The server, or something on the way, ended the connection.', [
        'A proxy or firewall may not let this connection through: ask who runs it.',
        'A server that wants a client certificate may do that: --cert-file and --cert-key-file.',
      ])
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
    case 'EPROTO':
      return explanation(`${at} does not speak TLS`, 'The URL begins with https, but this port serves plain http.', [
        'Use the port of https.',
        `For a server on this machine, use http://${url.host}.`,
      ])
    default:
      if (/ALERT_(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE|UNKNOWN_CA)/.test(code)) {
        return explanation(
          `${at} refuses the TLS handshake`,
          'The server does not accept the client certificate, or the lack of one.',
          ['Give the certificate that is registered for this client: --cert-file and --cert-key-file.'],
        )
      }
      return explanation(`no connection to ${at}`, 'The connection failed before a request was sent.', [
        'Look up the code in the documentation of Node.js or OpenSSL.',
      ])
  }
}
