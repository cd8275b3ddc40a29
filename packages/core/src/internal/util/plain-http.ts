/** Whether a secret may be sent to `url`: by TLS, to this machine, or because the user allows it. */
export function maySendSecretsTo(url: URL, allowInsecureRequests: boolean | undefined): boolean {
  return url.protocol === 'https:' || allowInsecureRequests === true || isLoopback(url.hostname)
}

/** Whether a host is this machine. */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(\.\d+){3}$/.test(hostname)
  )
}
