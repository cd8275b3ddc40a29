import type { FetchOptions } from '@tokenward/fetch'

/** Options of `createMcpAuth`. */
export interface McpAuthOptions extends Omit<FetchOptions, 'baseURL'> {
  /**
   * The URL of the MCP server, as the transport gets it. Tokens may go to its origin, and are requested for it as their resource
   * (RFC 8707). `tokenParameters: { resource }` names another resource, and `tokenParameters: { resource: undefined }` leaves it to
   * the client's definition.
   */
  serverUrl: string | URL
}
