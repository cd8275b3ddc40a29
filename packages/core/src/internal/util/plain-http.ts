import { isLoopback } from '../../is-loopback'

/** Whether a secret may be sent to `url`: by TLS, to this machine, or because the user allows it. */
export function maySendSecretsTo(url: URL, allowInsecureRequests: boolean | undefined): boolean {
  return url.protocol === 'https:' || allowInsecureRequests === true || isLoopback(url.hostname)
}
