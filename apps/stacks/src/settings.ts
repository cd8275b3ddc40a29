/** What a worker reads from its environment. */
export interface Settings {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** The base URL of the API. */
  readonly api: string
}

/** @throws Error that names the variable that is missing */
export function settingsOf(env: NodeJS.ProcessEnv): Settings {
  const read = (name: string): string => {
    const value = env[name]
    if (!value) throw new Error(`the environment variable ${name} is missing`)
    return value
  }
  return {
    issuer: read('ISSUER'),
    clientId: read('CLIENT_ID'),
    clientSecret: read('CLIENT_SECRET'),
    api: read('API_URL'),
  }
}

export interface Item {
  readonly id: number
  readonly name: string
}
