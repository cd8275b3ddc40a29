import { TokenManager } from '@tokenward/core';
import { TokenParameters } from '@tokenward/core';
import { TokenwardError } from '@tokenward/core';

interface ConfluentToken {
    readonly value: string;
    readonly principal: string;
    readonly lifetime: number;
    readonly extensions?: Record<string, string>;
}
interface ErrorEmitter {
    on(event: 'event.error', listener: (error: {
        code: number;
        message: string;
    }) => void): unknown;
}
interface KafkaAddresses {
    brokers: readonly string[] | (() => readonly string[] | Promise<readonly string[]>);
    ssl?: unknown;
}
declare class KafkaAuthenticationError extends TokenwardError {
    readonly code = "kafka_authentication_failed";
    readonly client: string;
    readonly broker: string;
    readonly retriable: boolean;
    readonly type: 'ILLEGAL_SASL_STATE' | 'SASL_AUTHENTICATION_FAILED';
    constructor(client: string, broker: string, message: string, options: {
        retriable: boolean;
        cause?: unknown;
    });
}
interface KafkaLogin {
    readonly host: string;
    readonly port: number;
    saslAuthenticate<Parsed>(exchange: {
        request: {
            encode(): Buffer | Promise<Buffer>;
        };
        response?: {
            decode(raw: Buffer): Buffer | Promise<Buffer>;
            parse(data: Buffer): Parsed;
        };
    }): Promise<Parsed | void>;
}
interface KafkaSasl {
    readonly mechanism: 'oauthbearer';
    readonly authenticationProvider: (login: KafkaLogin) => {
        authenticate(): Promise<void>;
    };
    readonly oauthBearerProvider: () => Promise<ConfluentToken>;
}
interface KafkaTokenOptions {
    tokenParameters?: Omit<TokenParameters, 'forceRenewal' | 'minValidityMs'> | undefined;
    minValidityMs?: number | undefined;
    extensions?: Readonly<Record<string, string>> | undefined;
    principal?: string | undefined;
}
interface LibrdkafkaAddresses {
    'bootstrap.servers'?: string | undefined;
    'metadata.broker.list'?: string | undefined;
    'security.protocol'?: string | undefined;
}
interface LibrdkafkaSasl {
    readonly 'sasl.mechanisms': 'OAUTHBEARER';
    readonly oauthbearer_token_refresh_cb: () => Promise<{
        readonly tokenValue: string;
        readonly principal: string;
        readonly lifetime: number;
        readonly extensions?: Record<string, string>;
    }>;
}
declare function createKafkaConfig<Name extends string, Config extends KafkaAddresses>(tokens: TokenManager<Name>, client: NoInfer<Name>, config: Config, options?: KafkaTokenOptions): Config & {
    sasl: KafkaSasl;
};
declare function createLibrdkafkaConfig<Name extends string, Config extends LibrdkafkaAddresses>(tokens: TokenManager<Name>, client: NoInfer<Name>, config: Config, options?: KafkaTokenOptions): Config & LibrdkafkaSasl;
declare function reportRejections(emitter: ErrorEmitter, config: LibrdkafkaSasl): void;

export type { ErrorEmitter };
export type { KafkaAddresses };
export type { KafkaSasl };
export type { KafkaTokenOptions };
export type { LibrdkafkaAddresses };
export type { LibrdkafkaSasl };
export { KafkaAuthenticationError };
export { createKafkaConfig };
export { createLibrdkafkaConfig };
export { reportRejections };
