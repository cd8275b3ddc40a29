/** Whether a host is this machine. It may be the `hostname` of a URL, or one that no URL has normalized: `LOCALHOST`, `::1`. */
export function isLoopback(hostname: string): boolean {
  const name = hostname.toLowerCase()
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '[::1]' ||
    name === '::1' ||
    /^127(\.\d+){3}$/.test(name)
  )
}
