import { AuthorizedFetch } from '@tokenward/fetch';
import { FetchOptions } from '@tokenward/fetch';
import { TokenManager } from '@tokenward/core';
import { TokenwardError } from '@tokenward/core';

interface McpAuth {
    readonly fetch: AuthorizedFetch;
    readonly authProvider: McpAuthProvider;
}
interface McpAuthOptions extends Omit<FetchOptions, 'baseURL'> {
    serverUrl: string | URL;
}
interface McpAuthProvider {
    token(): Promise<undefined>;
    onUnauthorized(context: {
        readonly response: Response;
    }): Promise<never>;
}
declare class McpUnauthorizedError extends TokenwardError {
    readonly code = "mcp_unauthorized";
    readonly client: string;
    readonly serverUrl: string;
    readonly error: string | undefined;
    constructor({ client, serverUrl, resource, response }: Rejection);
}
interface Rejection {
    readonly client: string;
    readonly serverUrl: string;
    readonly resource: string | undefined;
    readonly response: Response;
}
declare function createMcpAuth<Name extends string>(tokens: TokenManager<Name>, client: NoInfer<Name>, options: McpAuthOptions): McpAuth;

export type { McpAuth };
export type { McpAuthOptions };
export type { McpAuthProvider };
export { McpUnauthorizedError };
export { createMcpAuth };
