import { DynamicModule } from '@nestjs/common';
import { FactoryProvider } from '@nestjs/common';
import { ModuleMetadata } from '@nestjs/common';
import { TokenManager } from '@tokenward/core';
import { TokenManagerOptions } from '@tokenward/core';

type HttpClient = (tokens: TokenManager) => unknown;
interface HttpClientFactory {
    inject?: FactoryProvider['inject'];
    create(tokens: TokenManager, ...injected: any[]): unknown;
}
type HttpClients = Readonly<Record<string, HttpClient | HttpClientFactory>>;
declare function InjectClient(name: string): PropertyDecorator & ParameterDecorator;
declare function InjectTokens(): PropertyDecorator & ParameterDecorator;
declare const TOKEN_MANAGER: unique symbol;
interface TokenwardAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
    inject?: FactoryProvider['inject'];
    useFactory(...injected: any[]): TokenwardOptions | Promise<TokenwardOptions>;
}
declare class TokenwardModule {
    static forRoot(options: TokenwardOptions): DynamicModule;
    static forRootAsync({ imports, inject, useFactory }: TokenwardAsyncOptions): DynamicModule;
    static forFeature(clients: HttpClients, imports?: DynamicModule['imports']): DynamicModule;
}
type TokenwardOptions = (TokenManagerOptions | {
    readonly tokens: TokenManager;
}) & {
    readonly warmUp?: boolean | readonly string[] | undefined;
};
declare function getClientToken(name: string): string;

export type { HttpClient };
export type { HttpClientFactory };
export type { HttpClients };
export type { TokenwardAsyncOptions };
export type { TokenwardOptions };
export { InjectClient };
export { InjectTokens };
export { TOKEN_MANAGER };
export { TokenwardModule };
export { getClientToken };
