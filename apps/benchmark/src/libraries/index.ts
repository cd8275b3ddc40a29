import { axiosTokenInterceptor } from './axios-token-interceptor'
import { azurePipeline } from './azure-pipeline'
import { badgateway } from './badgateway'
import { google } from './google'
import type { Library } from './library'
import { msalNode } from './msal-node'
import { oauthFetch } from './oauth-fetch'
import { onlyAHeaderLibraries } from './only-a-header'
import { safeLibraries } from './safe-wrappers'
import { scienta } from './scienta'
import { simpleOauth2 } from './simple-oauth2'
import { tokenwardLibraries } from './tokenward'
import { undiciOidcInterceptor } from './undici-oidc-interceptor'

/** Other libraries that get tokens for workers. */
const peers: readonly Library[] = [
  simpleOauth2,
  badgateway,
  google,
  azurePipeline,
  msalNode,
  undiciOidcInterceptor,
  oauthFetch,
  axiosTokenInterceptor,
  scienta,
]

/** Every library, with one entry for each adapter of tokenward, and what the least wrapper of each HTTP client costs. */
export const httpLibraries: readonly Library[] = [...tokenwardLibraries, ...onlyAHeaderLibraries, ...peers]

/** Every library once. */
export const libraries: readonly Library[] = [...tokenwardLibraries.slice(0, 1), ...peers]

/** @throws Error when no library has that id */
export function libraryById(id: string): Library {
  const library = [...httpLibraries, ...safeLibraries].find((each) => each.id === id)
  if (!library) throw new Error(`no library '${id}' is measured`)
  return library
}
