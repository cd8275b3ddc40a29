/** Whether requests to a URL go through a proxy. */
export interface ProxyUse {
  /** The environment variable that names the proxy of such URLs, if there is one. */
  readonly variable: string | undefined
  /** Whether Node uses it. */
  readonly used: boolean
}

/** As Node's `fetch` decides it: by environment variables, and only when it is told to look at them. */
export function proxyFor(
  { protocol, hostname }: URL,
  environment: Readonly<Record<string, string | undefined>>,
): ProxyUse {
  const names = protocol === 'https:' ? ['https_proxy', 'HTTPS_PROXY'] : ['http_proxy', 'HTTP_PROXY']
  const variable = names.find((name) => environment[name])
  const excluded = (environment.no_proxy ?? environment.NO_PROXY ?? '').split(/[\s,]+/).filter((each) => each !== '')
  const isExcluded = excluded.some((each) => each === '*' || `.${hostname}`.endsWith(`.${each.replace(/^\*?\./, '')}`))
  if (variable === undefined || isExcluded) return { variable: undefined, used: false }
  const isToldBy = (text = '') => text.includes('--use-env-proxy')
  const isTold =
    environment.NODE_USE_ENV_PROXY === '1' || isToldBy(environment.NODE_OPTIONS) || process.execArgv.some(isToldBy)
  const [major = 0] = process.versions.node.split('.').map(Number)
  return { variable, used: isTold && major >= 24 }
}
