import { audienceOf } from './jwt'
import { clockProblem, type RequestFacts, supported } from './request-facts'
import type { Explanation } from './step'

type MeaningAndRemedies = Pick<Explanation, 'meaning' | 'remedies'>

/** The server does not say whether the id, the credential or the method is wrong, so each is looked at. */
export function explainInvalidClient(facts: RequestFacts): MeaningAndRemedies {
  const { method, settings, metadata } = facts
  const methods = supported(metadata, 'token_endpoint_auth_methods_supported')
  const idAndServer = [
    `Check the client id: '${settings.clientId}'. Does it exist at this server, in this environment (test, production)?`,
  ]
  const other = methods && method !== 'client_assertion' && !methods.includes(method)
  const unsupported = other ? [`The server does not support ${method}. It supports ${methods.join(', ')}: --auth.`] : []
  switch (method) {
    case 'client_secret_basic':
    case 'client_secret_post':
      return explainSecret(facts, [...unsupported, ...idAndServer])
    case 'client_secret_jwt':
    case 'private_key_jwt':
      return explainSigned(facts, [...unsupported, ...idAndServer])
    case 'client_assertion':
      return explainAssertion(facts, idAndServer)
    case 'tls_client_auth':
      return {
        meaning: 'The server does not know this client, or not by this certificate.',
        remedies: [
          ...unsupported,
          ...idAndServer,
          'Compare the subject of the certificate with the one that is registered for this client.',
          'A proxy that ends TLS has to pass the certificate on to the server.',
        ],
      }
    case 'none':
      return {
        meaning: 'The server does not know this client, or wants it to authenticate.',
        remedies: [
          ...idAndServer,
          'Give a credential: --client-secret-file, --key-file, --assertion-file or --cert-file.',
          ...(methods ? [`The server supports ${methods.join(', ')}.`] : []),
        ],
      }
  }
}

function explainSecret({ method, secret = '', acceptedMethod }: RequestFacts, others: string[]): MeaningAndRemedies {
  if (acceptedMethod) {
    const inCode =
      acceptedMethod === 'client_secret_post' ? 'clientAuth: ClientSecretPost(secret)' : 'clientSecret: secret'
    return {
      meaning: `Id and secret are right, but the server wants them by ${acceptedMethod}, not by ${method}.`,
      remedies: [
        `Use --auth ${acceptedMethod} here, and ${inCode} in the definition of your worker.`,
        `Or change the client's authentication method at the server to ${method}.`,
      ],
    }
  }
  const odd = secretProblem(secret)
  return {
    meaning: 'The server does not know this client id, or the secret is not its secret.',
    remedies: [
      ...(odd ? [odd] : []),
      ...others,
      'Check the secret: is it the current one, has it expired, and is it the secret itself and not its id (Microsoft Entra shows both)?',
    ],
  }
}

/** What looks wrong with a secret, without a character of it. */
export function secretProblem(secret: string): string | undefined {
  if (secret !== secret.trim())
    return 'The secret begins or ends with white space: remove it, unless it belongs to the secret.'
  if (/^(["']).*\1$/.test(secret))
    return 'The secret is in quotation marks: remove them, unless they belong to the secret.'
  if (/^\$\{?[A-Za-z_]\w*\}?$/.test(secret))
    return 'The secret looks like a variable that was not replaced by its value.'
  if (/^[A-Za-z0-9+/]{8,}={1,2}$/.test(secret))
    return 'The secret looks like base64: a Kubernetes secret has to be decoded.'
  return undefined
}

function explainSigned({ method, settings, clockAheadSeconds }: RequestFacts, others: string[]): MeaningAndRemedies {
  const clock = clockProblem(clockAheadSeconds)
  const isPrivateKey = method === 'private_key_jwt'
  const key = isPrivateKey
    ? [
        'Check that the public key of --key-file is registered for this client at the server.',
        settings.keyId === undefined
          ? 'Some servers need the id of the key: --key-id.'
          : `Check that the server knows the key by the id '${settings.keyId}'.`,
        'Some servers accept certain algorithms only: --key-algorithm (PS256 in place of RS256).',
      ]
    : ['Check the secret: the assertion is signed with it.']
  return {
    meaning: clock
      ? 'The assertion is signed with the time of this machine, and that is wrong: the server takes it for expired or for not yet valid.'
      : 'The server does not accept the signed assertion: the key, the client id or the audience is wrong.',
    remedies: [...(clock ? [clock] : []), ...others, ...key],
  }
}

function explainAssertion(facts: RequestFacts, others: string[]): MeaningAndRemedies {
  const { assertion, settings, metadata, clockAheadSeconds } = facts
  const clock = clockProblem(clockAheadSeconds)
  const remedies: string[] = []
  if (!assertion) remedies.push('What the file or the command supplies is no signed JWT: check its source.')
  else {
    const { exp, nbf } = assertion.claims
    const now = Date.now() / 1_000
    if (typeof exp === 'number' && exp < now)
      remedies.push(`The assertion expired at ${new Date(exp * 1_000).toISOString()}: get a new one.`)
    if (typeof nbf === 'number' && nbf > now + 30) remedies.push('The assertion is not valid yet: check the clocks.')
    const audience = audienceOf(assertion.claims)
    const expected = [settings.issuer, settings.tokenEndpoint, metadata?.issuer, metadata?.token_endpoint]
    if (!audience.some((each) => expected.includes(each)))
      remedies.push(
        `The assertion is for ${audience.map((each) => `'${each}'`).join(', ') || 'nobody (no aud)'}. The server may expect itself there, or another value of its documentation.`,
      )
    remedies.push(
      'Check that the server trusts the issuer and the subject of the assertion for this client (the federated credential).',
    )
  }
  return {
    meaning: 'The server does not accept the client assertion for this client.',
    remedies: [...(clock ? [clock] : []), ...remedies, ...others],
  }
}
