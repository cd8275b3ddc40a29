/** The form of a gRPC target: `scheme://authority/path`, where all but the path may be missing. */
const TARGET = /^(?:([A-Za-z0-9+.-]+):)?(?:\/\/([^/]*)\/)?(.+)$/
const HOST = /^(\[[\da-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i
const LOOPBACK_ADDRESS = /^(127(\.\d+){3}|\[::1\])(:\d+)?$/

/**
 * The origin that stands for a gRPC target: `https://invoices.company.com` for `dns:invoices.company.com:443`. Its host is loopback only
 * if the connection surely stays on this machine.
 */
export function originOf(target: string, isSecure: boolean): string {
  const scheme = isSecure ? 'https' : 'http'
  const host = hostOf(target, isSecure)
  const url = `${scheme}://${HOST.test(host) ? host : 'unknown.invalid'}`
  return URL.canParse(url) ? new URL(url).origin : `${scheme}://unknown.invalid`
}

function hostOf(target: string, isSecure: boolean): string {
  const [, scheme = 'dns', authority = '', path = ''] = TARGET.exec(target) ?? []
  switch (scheme) {
    case 'unix':
    case 'unix-abstract':
      return 'localhost'
    case 'ipv4':
    case 'ipv6':
      return addressOf(path.split(','))
    case 'dns':
      // Only TLS proves the name when another name server resolves it.
      return authority === '' || isSecure ? withBrackets(path) : resolvedElsewhere(path, scheme)
    default:
      // `localhost:50051` looks like a target with the scheme `localhost`.
      return HOST.test(target) || /^[\da-f:]+$/i.test(target) ? withBrackets(target) : resolvedElsewhere(path, scheme)
  }
}

/** A name that cannot be mistaken for this machine (RFC 2606). */
function resolvedElsewhere(name: string, scheme: string): string {
  return `${name.split(':')[0]}.${scheme}.invalid`
}

/** The first address that is not this machine, else the first one. */
function addressOf(addresses: readonly string[]): string {
  const hosts = addresses.map(withBrackets)
  return hosts.find((host) => !LOOPBACK_ADDRESS.test(host)) ?? hosts[0] ?? ''
}

/** In a URL, an IPv6 address has brackets. */
function withBrackets(address: string): string {
  return (address.match(/:/g)?.length ?? 0) > 1 && !address.startsWith('[') ? `[${address}]` : address
}
