type AuthMethod = 'client_secret_basic' | 'client_secret_post' | 'client_secret_jwt' | 'private_key_jwt' | 'tls_client_auth' | 'none';
interface CheckOptions {
    onStep?: ((step: CheckStep) => void) | undefined;
    environment?: Readonly<Record<string, string | undefined>> | undefined;
}
interface CheckReport {
    readonly version: 1;
    readonly ok: boolean;
    readonly exitCode: ExitCode;
    readonly steps: readonly CheckStep[];
}
interface CheckStep {
    readonly step: CheckStepName;
    readonly status: 'ok' | 'warning' | 'failed';
    readonly summary: string;
    readonly error?: string;
    readonly meaning?: string;
    readonly remedies?: readonly string[];
    readonly warnings?: readonly string[];
    readonly help?: string;
    readonly details?: Readonly<Record<string, unknown>>;
}
type CheckStepName = 'definition' | 'dns' | 'connection' | 'tls' | 'discovery' | 'authentication' | 'token' | 'dpop' | 'api';
interface ClientSettings {
    issuer?: string | undefined;
    tokenEndpoint?: string | undefined;
    clientId?: string | undefined;
    clientSecret?: string | readonly string[] | undefined;
    clientSecretFile?: string | readonly string[] | undefined;
    auth?: AuthMethod | undefined;
    keyFile?: string | undefined;
    keyId?: string | undefined;
    keyAlgorithm?: string | undefined;
    assertionFile?: string | undefined;
    assertionCommand?: string | undefined;
    certFile?: string | undefined;
    certKeyFile?: string | undefined;
    caFile?: string | undefined;
    scope?: string | undefined;
    resource?: string | readonly string[] | undefined;
    audience?: string | undefined;
    parameters?: Readonly<Record<string, string>> | undefined;
    dpop?: boolean | undefined;
    dpopKeyFile?: string | undefined;
    timeoutMs?: number | undefined;
    allowInsecureRequests?: boolean | undefined;
    api?: string | undefined;
}
declare const EXIT_CODES: {
    readonly ok: 0;
    readonly unexpected: 1;
    readonly usage: 2;
    readonly definition: 3;
    readonly connection: 4;
    readonly discovery: 5;
    readonly authentication: 6;
    readonly token: 7;
    readonly api: 8;
};
type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];
declare function check(settings: ClientSettings, options?: CheckOptions): Promise<CheckReport>;

export type { AuthMethod };
export type { CheckOptions };
export type { CheckReport };
export type { CheckStep };
export type { CheckStepName };
export type { ClientSettings };
export type { ExitCode };
export { EXIT_CODES };
export { check };
