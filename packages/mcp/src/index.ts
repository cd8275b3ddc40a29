export { createMcpAuth } from './create-mcp-auth'
export type { McpAuth, McpAuthProvider } from './mcp-auth'
export { McpUnauthorizedError } from './mcp-unauthorized-error'
export type { McpAuthOptions } from './options'
