import { IClientOptions } from 'mqtt';
import { MqttClient } from 'mqtt';
import { TokenManager } from '@tokenward/core';
import { TokenParameters } from '@tokenward/core';

interface MqttOptions extends Omit<IClientOptions, 'password' | 'manualConnect' | 'auth'> {
    username?: string;
    tokenParameters?: Omit<TokenParameters, 'forceRenewal'> | undefined;
    reconnectBeforeExpiry?: boolean | undefined;
    onError?: ((error: unknown) => void) | undefined;
}
declare function connectMqtt<Name extends string>(tokens: TokenManager<Name>, client: NoInfer<Name>, url: string | URL, options?: MqttOptions): Promise<MqttClient>;

export type { MqttOptions };
export { connectMqtt };
