import { ClientAuth } from '@tokenward/core';
import { ClientDefinition } from '@tokenward/core';
import { Clock } from '@tokenward/core';
import { TokenwardError } from '@tokenward/core';

interface AwsCredentials {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string | undefined;
}
interface AwsWebIdentityTokenOptions extends HttpIdentityTokenOptions {
    audience?: string | undefined;
    region?: string | undefined;
    signingAlgorithm?: 'RS256' | 'ES384' | undefined;
    durationSeconds?: number | undefined;
    credentials?: (() => AwsCredentials | Promise<AwsCredentials>) | undefined;
    endpoint?: string | undefined;
    imdsOrigin?: string | undefined;
}
interface AzureManagedIdentityTokenOptions extends HttpIdentityTokenOptions {
    resource?: string | undefined;
    clientId?: string | undefined;
    objectId?: string | undefined;
    resourceId?: string | undefined;
    imdsOrigin?: string | undefined;
}
interface CommandTokenOptions extends IdentityTokenOptions {
    format?: TokenFormat | undefined;
}
interface EntraFederationOptions {
    scope: string;
    tenantId?: string | undefined;
    clientId?: string | undefined;
    clientAssertion?: IdentityTokenSupplier | undefined;
    authorityHost?: string | undefined;
    audience?: string | undefined;
    env?: Environment | undefined;
}
type Environment = Readonly<Record<string, string | undefined>>;
interface FileTokenOptions extends IdentityTokenOptions {
    format?: TokenFormat | undefined;
}
interface GithubActionsTokenOptions extends HttpIdentityTokenOptions {
    audience?: string | undefined;
}
interface GoogleFederationOptions {
    provider: string;
    subjectToken: IdentityTokenSupplier;
    subjectTokenType?: string | undefined;
    scope?: string | undefined;
    audience?: string | undefined;
}
interface GoogleIdentityTokenOptions extends HttpIdentityTokenOptions {
    audience?: string | undefined;
    serviceAccount?: string | undefined;
    claims?: 'standard' | 'full' | undefined;
}
interface HttpIdentityTokenOptions extends IdentityTokenOptions {
    fetch?: typeof fetch | undefined;
}
interface IdentityContext {
    readonly audience: string;
    readonly signal?: AbortSignal | undefined;
}
declare class IdentityError extends TokenwardError {
    readonly code = "identity_unavailable";
    readonly platform: string;
    readonly reason: IdentityErrorReason;
    readonly status: number | undefined;
    constructor({ platform, reason, message, status }: IdentityErrorDetails);
}
interface IdentityErrorDetails {
    platform: string;
    reason: IdentityErrorReason;
    message: string;
    status?: number | undefined;
}
type IdentityErrorReason = 'not_available' | 'refused' | 'timeout' | 'network_error' | 'invalid_response' | 'expired';
interface IdentityTokenOptions {
    timeoutMs?: number | undefined;
    env?: Environment | undefined;
    clock?: Pick<Clock, 'now' | 'setTimeout'> | undefined;
}
type IdentityTokenSupplier = (context: IdentityContext) => Promise<string>;
declare function SpiffeJwt(svid: IdentityTokenSupplier): ClientAuth;
interface SpiffeTokenOptions extends IdentityTokenOptions {
    audience?: string | undefined;
    spiffeId?: string | undefined;
    socket?: string | undefined;
}
type TokenFile = string | URL | {
    readonly variable: string;
};
type TokenFormat = 'jwt' | 'opaque';
declare function awsWebIdentityToken(options?: AwsWebIdentityTokenOptions): IdentityTokenSupplier;
declare function azureManagedIdentityToken(options?: AzureManagedIdentityTokenOptions): IdentityTokenSupplier;
declare function commandToken(command: string, args?: readonly string[], options?: CommandTokenOptions): IdentityTokenSupplier;
declare function entraFederation(options: EntraFederationOptions): ClientDefinition;
declare function fileToken(file: TokenFile, options?: FileTokenOptions): IdentityTokenSupplier;
declare function githubActionsToken(options?: GithubActionsTokenOptions): IdentityTokenSupplier;
declare function googleFederation(options: GoogleFederationOptions): ClientDefinition;
declare function googleIdentityToken(options?: GoogleIdentityTokenOptions): IdentityTokenSupplier;
declare function spiffeToken(options?: SpiffeTokenOptions): IdentityTokenSupplier;

export type { AwsCredentials };
export type { AwsWebIdentityTokenOptions };
export type { AzureManagedIdentityTokenOptions };
export type { CommandTokenOptions };
export type { EntraFederationOptions };
export type { Environment };
export type { FileTokenOptions };
export type { GithubActionsTokenOptions };
export type { GoogleFederationOptions };
export type { GoogleIdentityTokenOptions };
export type { HttpIdentityTokenOptions };
export type { IdentityContext };
export type { IdentityErrorDetails };
export type { IdentityErrorReason };
export type { IdentityTokenOptions };
export type { IdentityTokenSupplier };
export type { SpiffeTokenOptions };
export type { TokenFile };
export type { TokenFormat };
export { IdentityError };
export { SpiffeJwt };
export { awsWebIdentityToken };
export { azureManagedIdentityToken };
export { commandToken };
export { entraFederation };
export { fileToken };
export { githubActionsToken };
export { googleFederation };
export { googleIdentityToken };
export { spiffeToken };
