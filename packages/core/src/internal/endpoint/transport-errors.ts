/** A secret or a token would have been sent without TLS. */
export class InsecureEndpoint extends Error {}

/** A body was longer than what is read of a response. */
export class ResponseTooLarge extends Error {}
