import type { IdentityProvider } from '@tokenward/identity-provider'
import type { ServeOptions } from './serve-options'

const DEMO_CLIENT = 'invoice.client'

/** What a newcomer needs: a definition to paste, commands to try, and the other clients. */
export function announcement(provider: IdentityProvider, controlOrigin: string, options: ServeOptions): string {
  const { clientId, clientSecret } = provider.client(DEMO_CLIENT)
  const { issuer, tokenEndpoint, invoice, catalog } = provider
  const dpop = options.dpop ? ['      dpop: true,'] : []
  const flags = `--issuer ${issuer} --client-id ${clientId} --scope invoice${options.dpop ? ' --dpop' : ''}`
  return [
    'A local authorization server and two protected APIs. Their credentials are public: for development only.',
    '',
    `issuer          ${issuer}`,
    `token endpoint  ${tokenEndpoint}`,
    ...[catalog, invoice].map(({ baseURL, audience }) => `API             ${baseURL}list (${audience})`),
    `control         POST ${controlOrigin}/control/revoke, /control/token-endpoint?delayMs=MS&fail=N&status=500, /control/clear`,
    `tokens          live ${options.lifetimeSeconds} s${options.dpop ? ', and are bound to a key (DPoP)' : ''}`,
    ...(options.failRate > 0
      ? [`faults          ${Math.round(options.failRate * 100)} % of the token requests fail with status 503`]
      : []),
    ...(options.delayMs > 0 ? [`delay           the token endpoint responds ${options.delayMs} ms later`] : []),
    '',
    'A definition to paste:',
    '',
    'const tokens = createTokenManager({',
    '  clients: {',
    `    '${DEMO_CLIENT}': {`,
    `      issuer: '${issuer}',`,
    `      clientId: '${clientId}',`,
    `      clientSecret: '${clientSecret}',`,
    "      scope: 'invoice',",
    ...dpop,
    '    },',
    '  },',
    '})',
    `const invoices = createFetch(tokens, '${DEMO_CLIENT}', { baseURL: '${invoice.baseURL}' })`,
    '',
    'In another terminal:',
    '',
    `export TOKENWARD_CLIENT_SECRET=${clientSecret}`,
    `npx @tokenward/cli check ${flags} --api ${invoice.baseURL}list`,
    ...(options.dpop ? [] : [`npx @tokenward/cli token ${flags} --show`]),
    '',
    'All clients:',
    ...Object.entries(provider.clients).map(
      ([name, each]) =>
        `  ${name}: id '${each.clientId}', secret '${each.clientSecret}', ${methodOf(each.metadata)}, scopes '${each.scope}'`,
    ),
    '',
    'Lines on standard input: revoke, slow MS, fail N, clear. Ctrl-C stops it.',
  ].join('\n')
}

function methodOf({
  token_endpoint_auth_method: method = 'client_secret_basic',
}: Readonly<Record<string, unknown>>): string {
  return String(method)
}
