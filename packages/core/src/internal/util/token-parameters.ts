import type { TokenParameters } from '../../token-parameters'

/** A copy that the caller cannot change any more. What is wrong in it is found when the token is requested. */
export function snapshotParameters(given: TokenParameters | undefined): TokenParameters {
  if (typeof given !== 'object' || given === null) return given ?? {}
  const copy = { ...given }
  if (Array.isArray(copy.resource)) copy.resource = copy.resource.map(asText)
  else if (copy.resource !== undefined) copy.resource = asText(copy.resource)
  if (typeof copy.parameters === 'object' && copy.parameters !== null) copy.parameters = { ...copy.parameters }
  return copy
}

/** A URL object could still change. What else is no string is found when the token is requested. */
function asText<T>(resource: T): T | string {
  return resource instanceof URL ? resource.href : resource
}
