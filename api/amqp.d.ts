import { ChannelModel } from 'amqplib';
import { Options } from 'amqplib';
import { RecoveringChannelModel } from 'amqplib';
import { RecoveryOptions } from 'amqplib';
import { SocketOptions } from 'amqplib';
import { TokenManager } from '@tokenward/core';
import { TokenParameters } from '@tokenward/core';

interface AmqpManager {
    on(event: string, listener: (event: ManagerEvent) => void): unknown;
    close(): Promise<void>;
}
interface AmqpOptions extends Omit<SocketOptions, 'credentials'>, LoginOptions {
}
type AmqpServer = string | Options.Connect | {
    url: string;
    connectionOptions?: object | undefined;
};
type AmqpServers = AmqpServer | readonly AmqpServer[] | (() => AmqpServer | readonly AmqpServer[] | Promise<AmqpServer | readonly AmqpServer[]>);
interface BrokerConnection {
    updateSecret(newSecret: Buffer, reason: string): Promise<void>;
    once(event: 'close', listener: (error?: Error) => void): unknown;
    removeListener(event: 'close', listener: (error?: Error) => void): unknown;
}
type BrokerUrl = string | Options.Connect;
interface LoginOptions {
    username?: string | undefined;
    tokenParameters?: Omit<TokenParameters, 'forceRenewal'> | undefined;
    onError?: ((error: unknown) => void) | undefined;
}
interface ManagerEvent {
    readonly connection: BrokerConnection;
    readonly url: BrokerUrl;
    readonly err: Error;
}
declare function connectAmqp<Name extends string>(tokens: TokenManager<Name>, client: NoInfer<Name>, url: string | Options.Connect, options: AmqpOptions & {
    recovery: RecoveryOptions | true;
}): Promise<RecoveringChannelModel>;
declare function connectAmqp<Name extends string>(tokens: TokenManager<Name>, client: NoInfer<Name>, url: string | Options.Connect, options?: AmqpOptions): Promise<ChannelModel>;
declare function createAmqpManager<Name extends string, Options extends object, Manager extends AmqpManager>(connect: (urls: undefined, options?: Options) => Manager, tokens: TokenManager<Name>, client: NoInfer<Name>, servers: AmqpServers, options?: Omit<NoInfer<Options>, 'findServers'> & LoginOptions): Manager;

export type { AmqpManager };
export type { AmqpOptions };
export type { AmqpServer };
export type { AmqpServers };
export type { LoginOptions };
export { connectAmqp };
export { createAmqpManager };
