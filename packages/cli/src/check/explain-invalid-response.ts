import type { TokenRequestError } from '@tokenward/core'
import type { RequestFacts } from './request-facts'
import type { Explanation } from './step'

type MeaningAndRemedies = Pick<Explanation, 'meaning' | 'remedies'>

/** What responded is no token endpoint, or its response is no token response. */
export function explainInvalidResponse(error: TokenRequestError, { settings }: RequestFacts): MeaningAndRemedies {
  const { status, url, errorDescription = '' } = error
  const at = url ?? 'the token endpoint'
  const named = settings.tokenEndpoint
    ? ['Check the path of the token endpoint, or give the issuer in its place: its metadata names the endpoint.']
    : ['The metadata of the issuer names this URL: ask who runs the server.']
  if (status === 404 || status === 405 || status === 410) {
    return { meaning: `There is no token endpoint at ${at}.`, remedies: named }
  }
  if (status !== undefined && status >= 300 && status < 400) {
    return {
      meaning: `${at} redirects to another URL. A secret is not sent on, so no redirect is followed.`,
      remedies: [
        'Use the URL that it redirects to, if that is a token endpoint: https in place of http, no slash at the end.',
        ...named,
      ],
    }
  }
  if (status === 403) {
    return {
      meaning: 'Something before the authorization server, such as a firewall, refuses the request.',
      remedies: ['Ask who runs it whether requests from this network are allowed.', ...named],
    }
  }
  if (status === 200) {
    return {
      meaning: 'What responded is a page, not a token endpoint. It may be a login page of a proxy.',
      remedies: [...named, 'Open the URL in a browser on this network and see what responds.'],
    }
  }
  if (errorDescription.includes('another type than DPoP')) {
    return {
      meaning: 'The server issued a Bearer token although a DPoP token was requested. It is not used.',
      remedies: ['The server does not support DPoP, or not for this client: turn it on there, or leave out --dpop.'],
    }
  }
  if (errorDescription.includes('another type')) {
    return {
      meaning: 'The server issued a token of a type that was not requested.',
      remedies: ['If it is a DPoP token: request it with --dpop, so that it can be used.'],
    }
  }
  if (errorDescription.includes('not https')) {
    return {
      meaning: 'The metadata names an endpoint by plain http. A secret is not sent there.',
      remedies: ['Let the server publish https URLs. Behind a proxy it often has to be told its public address.'],
    }
  }
  return {
    meaning: `The response of ${at} is no token response.`,
    remedies: [...named, 'It may be a fault of the server: look into its logs.'],
  }
}
