import { TokenCredential } from '@azure/core-auth';
import { TokenManager } from '@tokenward/core';
import { TokenParameters } from '@tokenward/core';
import { TokenRequester } from '@tokenward/core';

interface CredentialRequesterOptions {
    enableCae?: boolean | undefined;
    tenantId?: string | undefined;
}
interface TokenCredentialOptions<Name extends string = string> {
    tokenParameters?: TokenParameters | ((scopes: readonly string[]) => TokenParameters) | undefined;
    clientOfTenant?: ((tenantId: string) => Name) | undefined;
}
declare function createTokenCredential<Name extends string>(tokens: TokenManager<Name>, client: NoInfer<Name>, options?: TokenCredentialOptions<NoInfer<Name>>): TokenCredential;
declare function credentialRequester(credential: TokenCredential, { enableCae, tenantId }?: CredentialRequesterOptions): TokenRequester;

export type { CredentialRequesterOptions };
export type { TokenCredentialOptions };
export { createTokenCredential };
export { credentialRequester };
