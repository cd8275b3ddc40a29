import type { ServerCertificate } from './probe'
import type { Explanation } from './step'

const DAY_MS = 86_400_000
/** A certificate that is renewed automatically has more time left than this. */
const SOON_DAYS = 14

/** Why the certificate of `host` is not accepted. Undefined: it is. */
export function explainCertificate(certificate: ServerCertificate, host: string, now: number): Explanation | undefined {
  const { problem, subject, issuer, names, validFrom, validTo } = certificate
  if (problem === undefined) return undefined
  const explanation = (summary: string, meaning: string, remedies: string[]): Explanation => ({
    error: problem,
    summary: `${summary} (${problem})`,
    meaning,
    // A certificate can have two faults, and only the first is reported.
    remedies: validTo.getTime() < now && problem !== 'CERT_HAS_EXPIRED' ? [...remedies, expired(validTo)] : remedies,
  })
  switch (problem) {
    case 'CERT_HAS_EXPIRED':
      return explanation(
        `the certificate of ${host} expired on ${validTo.toISOString()}`,
        'No client that checks certificates accepts it.',
        ['Renew the certificate of the server.', 'If it is still valid, set the clock of this machine.'],
      )
    case 'CERT_NOT_YET_VALID':
      return explanation(
        `the certificate of ${host} is valid from ${validFrom.toISOString()} on`,
        'The clock of this machine is behind, or the certificate was made for later.',
        ['Set the clock of this machine (NTP).'],
      )
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return explanation(
        `the certificate is for ${names.join(', ') || subject}, not for ${host}`,
        'Whoever responds there cannot prove to be this host.',
        ['Use the host name that the certificate has.', `Or add ${host} to the names of the certificate.`],
      )
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return explanation(
        `the certificate of ${host} is self-signed`,
        'No authority vouches for it, so Node does not trust it.',
        trust('Get that certificate from those who run the server'),
      )
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return explanation(
        `the certificate of ${host} is from an authority that Node does not trust: '${issuer}'`,
        'A company has its own authority, or something on the way opens TLS connections.',
        trust('Get the root certificate of that authority'),
      )
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return explanation(
        `the certificate of ${host} is by '${issuer}', which Node does not know`,
        'Either the authority is not trusted, or the server does not send the intermediate certificate.',
        [
          'On the server: send the whole chain (the "full chain" file). Browsers hide that it is missing.',
          ...trust('If the authority is your own, get its root certificate'),
        ],
      )
    default:
      return explanation(
        `the certificate of ${host} is not accepted`,
        'Node refuses it, so no secret is sent there.',
        trust('If you trust it, get the certificate of its authority'),
      )
  }
}

/** What looks wrong with a certificate that is accepted. */
export function certificateWarnings(
  { problem, validTo }: ServerCertificate,
  environment: Readonly<Record<string, string | undefined>>,
  now: number,
): string[] {
  const warnings: string[] = []
  if (environment.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    const consequence = problem ? ` This one would be refused: ${problem}.` : ''
    warnings.push(`NODE_TLS_REJECT_UNAUTHORIZED=0 turns off the check of certificates.${consequence} Remove it.`)
  }
  const days = Math.floor((validTo.getTime() - now) / DAY_MS)
  if (days < SOON_DAYS && problem === undefined) warnings.push(`The certificate expires in ${days} days. Renew it.`)
  return warnings
}

function trust(get: string): string[] {
  return [
    `${get}. Check with: --ca-file ca.pem`,
    'For your worker: start it with NODE_EXTRA_CA_CERTS=/path/to/ca.pem in its environment.',
    'Do not set NODE_TLS_REJECT_UNAUTHORIZED=0: it sends the secret to anyone who is on the way.',
  ]
}

function expired(validTo: Date): string {
  return `It has also expired, on ${validTo.toISOString()}: renew it.`
}
