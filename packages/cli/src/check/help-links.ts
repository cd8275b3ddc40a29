const PAGE = 'https://github.com/tokenward/tokenward/blob/main/docs/why-no-token.md'

/** Where an `error` of `TokenRequestError` is explained. Of a code that the page does not know, its beginning is shown. */
export function helpFor(error: string): string {
  return /^[a-z_]+$/.test(error) ? `${PAGE}#${error}` : PAGE
}
