import { AccessToken } from '@tokenward/core';
import { AuthorizedClientOptions } from '@tokenward/core';
import { ClientOptions } from 'ws';
import { TokenManager } from '@tokenward/core';
import { TokenwardError } from '@tokenward/core';
import { WebSocket } from 'ws';

interface WebSocketOptions extends Omit<ClientOptions, 'followRedirects' | 'maxRedirects'>, Pick<AuthorizedClientOptions, 'tokenParameters' | 'retryOn401' | 'proofClaims' | 'claimsChallenges'> {
    protocols?: string | string[] | undefined;
    allowedOrigins?: readonly (string | URL)[] | undefined;
    signal?: AbortSignal | undefined;
    onToken?: ((token: AccessToken, socket: WebSocket) => unknown) | undefined;
}
declare class WebSocketUpgradeError extends TokenwardError {
    readonly code = "websocket_upgrade_failed";
    readonly client: string;
    readonly status: number;
    readonly url: string;
    constructor({ client, status, url }: {
        client: string;
        status: number;
        url: URL;
    });
}
declare function connectWebSocket<Name extends string>(tokens: TokenManager<Name>, client: NoInfer<Name>, url: string | URL, options?: WebSocketOptions): Promise<WebSocket>;

export type { WebSocketOptions };
export { WebSocketUpgradeError };
export { connectWebSocket };
