/** Whether a secret may go to `url`: by TLS, on this very machine, or because the user said so. */
export function maySendSecretsTo(url: URL, allowInsecureRequests: boolean | undefined): boolean {
  return url.protocol === 'https:' || allowInsecureRequests === true || isLoopback(url.hostname)
}

/** Whether a host is this very machine. */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(\.\d+){3}$/.test(hostname)
  )
}
