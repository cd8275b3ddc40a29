import type { TokenRequestError } from '@tokenward/core'
import { explainInvalidClient } from './explain-invalid-client'
import { explainInvalidResponse } from './explain-invalid-response'
import { helpFor } from './help-links'
import { clockProblem, type RequestFacts, supported } from './request-facts'
import type { Explanation } from './step'

type MeaningAndRemedies = Pick<Explanation, 'meaning' | 'remedies'>

/** What a failed token request means, and what to do about it. */
export function explainTokenError(error: TokenRequestError, facts: RequestFacts): Explanation {
  const { error: code, errorDescription, status } = error
  const description = errorDescription === undefined ? '' : `: ${errorDescription}`
  const summary = `${code}${description}${status === undefined || description.includes('status') ? '' : ` (HTTP ${status})`}`
  return { error: code, summary, ...explain(error, facts), help: helpFor(code) }
}

function explain(error: TokenRequestError, facts: RequestFacts): MeaningAndRemedies {
  const { settings, metadata } = facts
  const clock = clockProblem(facts.clockAheadSeconds)
  switch (error.error) {
    case 'invalid_client':
      return explainInvalidClient(facts)
    case 'invalid_response':
      return explainInvalidResponse(error, facts)
    case 'unauthorized_client':
      return {
        meaning: 'The server knows this client, but does not let it use the client credentials grant.',
        remedies: [
          'Allow the client credentials grant for this client at the authorization server ("service account" in Keycloak).',
          'Check that the client id is the one of the worker, and not of a web application.',
        ],
      }
    case 'unsupported_grant_type':
      return {
        meaning: 'The server, or this client, does not support the client credentials grant.',
        remedies: ['Allow the client credentials grant at the authorization server.'],
      }
    case 'invalid_scope':
      return explainInvalidScope(facts)
    case 'invalid_target':
      return {
        meaning: 'The server knows no such API, or this client may not request tokens for it.',
        remedies: [
          `Check the resource: ${list(settings.resource) || 'none was requested, and the server may need one'}.`,
          'Register the API at the authorization server, and allow it for this client.',
          'Request one resource at a time: many servers accept no more.',
        ],
      }
    case 'invalid_grant':
    case 'invalid_dpop_proof':
      return explainProof(error, facts, clock)
    case 'use_dpop_nonce':
      return {
        meaning: 'The server asked for a DPoP nonce again and again, although the proof had the one that it sent.',
        remedies: ['The servers behind a load balancer may not share their nonces: ask who runs them.'],
      }
    case 'invalid_request':
      return {
        meaning: 'The server does not understand the request: a parameter is missing, unknown or given twice.',
        remedies: [
          'Read its description above: it often names the parameter.',
          ...(/grant/i.test(error.errorDescription ?? '')
            ? ['Allow the client credentials grant for this client.']
            : []),
          ...(settings.resource || settings.audience ? [] : ['Some servers need --audience or --resource.']),
          ...(settings.scope ? [] : ['Some servers need --scope. Microsoft Entra: the API followed by /.default.']),
          ...(settings.parameters ? ['Leave out --parameter, one by one.'] : []),
        ],
      }
    case 'access_denied':
      return {
        meaning: 'The server understood the request, and a policy refuses it.',
        remedies: [
          'Ask who runs the authorization server for the policy. Conditional access and IP ranges are usual ones.',
        ],
      }
    case 'timeout':
      return {
        meaning: 'The connection was made, but no complete response came within the time limit.',
        remedies: [
          'Try again: the server may be overloaded.',
          `A slow server needs a longer time limit: --timeout-ms (now ${settings.timeoutMs ?? 10_000}).`,
        ],
      }
    case 'network_error':
      return {
        meaning: 'The connection failed before a response came.',
        remedies: ['Check DNS, the port, firewalls, and the proxy of this machine.'],
      }
    case 'server_error':
    case 'temporarily_unavailable':
    case 'slow_down':
      return {
        meaning:
          'The authorization server, or something before it, has a fault or too much to do. It is not your configuration.',
        remedies: [
          'Try again later. A worker does that by itself.',
          'If it stays so: give its operators the time and the URL of this request.',
        ],
      }
    case 'credential_unavailable':
      return {
        meaning: 'Your own supplier of the credential failed. No request was sent.',
        remedies: [ownMessage(error) ?? 'Check the file or the command that supplies the credential.'],
      }
    default: {
      const grants = supported(metadata, 'grant_types_supported')
      return {
        meaning: 'The authorization server refuses the request for a reason of its own.',
        remedies: [
          'Look up this code in the documentation of your authorization server.',
          ...(grants ? [`It supports the grants ${list(grants)}.`] : []),
        ],
      }
    }
  }
}

function explainInvalidScope({ settings, metadata }: RequestFacts): MeaningAndRemedies {
  const published = supported(metadata, 'scopes_supported')
  const requested = (settings.scope ?? '').split(' ').filter((each) => each !== '')
  const unknown = published ? requested.filter((each) => !published.includes(each)) : []
  return {
    meaning: 'The server does not know one of the scopes, or this client may not request it.',
    remedies: [
      ...(unknown.length > 0 ? [`The server does not publish ${quoted(unknown)}: check the spelling.`] : []),
      requested.length > 0
        ? `Allow the scopes for this client at the authorization server: ${quoted(requested)}.`
        : 'Request a scope: this server needs one (--scope).',
      'Scopes are separated by spaces, and upper and lower case differ.',
      ...(published && published.length <= 20 ? [`It publishes ${quoted(published)}.`] : []),
    ],
  }
}

function explainProof(error: TokenRequestError, facts: RequestFacts, clock: string | undefined): MeaningAndRemedies {
  const { settings, metadata } = facts
  const usesDPoP = settings.dpop === true || settings.dpopKeyFile !== undefined
  const speaksOfDPoP = /dpop|proof/i.test(error.errorDescription ?? '') || error.error === 'invalid_dpop_proof'
  if (!usesDPoP && (speaksOfDPoP || supported(metadata, 'dpop_signing_alg_values_supported'))) {
    return {
      meaning:
        'The server issues this client only tokens that are bound to a key (DPoP), and the request had no proof.',
      remedies: [
        'Request a DPoP token: --dpop here, dpop: true in the definition of your worker.',
        'Or turn off "DPoP bound access tokens" for this client at the server.',
      ],
    }
  }
  const algorithms = supported(metadata, 'dpop_signing_alg_values_supported')
  return {
    meaning: usesDPoP
      ? 'The server does not accept the DPoP proof, or the grant.'
      : 'The server does not accept the grant, or it is bound to something that the request lacks, such as a DPoP key or a certificate.',
    remedies: [
      ...(clock ? [clock] : []),
      ...(algorithms ? [`The server accepts DPoP keys for ${list(algorithms)}.`] : []),
      'Check what the server expects of this client: DPoP, a client certificate, a certain grant.',
    ],
  }
}

/** What a supplier of this program threw says what to do, and nothing secret. */
function ownMessage({ cause }: TokenRequestError): string | undefined {
  return (cause as { problems?: readonly string[] } | undefined)?.problems?.join(' ')
}

function list(values: string | readonly string[] | undefined): string {
  return [values ?? []].flat().join(', ')
}

function quoted(values: readonly string[]): string {
  return values.map((each) => `'${each}'`).join(', ')
}
