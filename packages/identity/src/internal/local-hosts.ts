/** Whether the URL's host is this machine. */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || /^127(\.\d+){3}$/.test(hostname) || hostname === '[::1]'
}

/** Whether the URL's host is this machine, or is reached without a router (RFC 3927): where platforms have their endpoints. */
export function isLocal(url: URL): boolean {
  return isLoopback(url) || /^169\.254(\.\d+){2}$/.test(url.hostname)
}
