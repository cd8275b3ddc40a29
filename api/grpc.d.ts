import { CallCredentials } from '@grpc/grpc-js';
import { ClientOptions } from '@grpc/grpc-js';
import { RequestTokenParameters } from '@tokenward/core';
import { TokenManager } from '@tokenward/core';

interface CallCredentialsOptions {
    allowedHosts: readonly string[];
    tokenParameters?: RequestTokenParameters | undefined;
}
type GrpcOptions = ClientOptions & {
    tokenParameters?: RequestTokenParameters | undefined;
    retryOnUnauthenticated?: boolean | undefined;
};
declare function createCallCredentials<Name extends string>(tokens: TokenManager<Name>, client: NoInfer<Name>, options: CallCredentialsOptions): CallCredentials;
declare function createGrpcOptions<Name extends string>(tokens: TokenManager<Name>, client: NoInfer<Name>, options?: GrpcOptions): ClientOptions;

export type { CallCredentialsOptions };
export type { GrpcOptions };
export { createCallCredentials };
export { createGrpcOptions };
