import type { TokenParameters } from './token-parameters'

/**
 * The parameters as they are now, for an adapter that requests tokens later: a caller that changes its own object afterwards does not
 * change which token its connection gets. What is wrong in them is found when the token is requested.
 */
export function snapshotParameters<Parameters extends TokenParameters>(given: Parameters | undefined): Parameters {
  if (typeof given !== 'object' || given === null) return given ?? ({} as Parameters)
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
