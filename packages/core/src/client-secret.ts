/**
 * A client secret, or several while one is being rotated: the server accepts one of them, and the first is preferred. At most 5,
 * because each one that the server refuses is a failed attempt to authenticate.
 */
export type ClientSecret = string | readonly string[]
