import { Attributes } from '@opentelemetry/api';
import { MeterProvider } from '@opentelemetry/api';
import { TokenManager } from '@tokenward/core';
import { TracerProvider } from '@opentelemetry/api';

interface InstrumentOptions {
    meterProvider?: MeterProvider | undefined;
    tracerProvider?: TracerProvider | undefined;
    attributes?: Attributes | undefined;
    maxClients?: number | undefined;
}
type InstrumentedTokens = Pick<TokenManager, 'on' | 'status' | 'aroundAcquisition'>;
declare function instrument(tokens: InstrumentedTokens, options?: InstrumentOptions): () => void;

export type { InstrumentOptions };
export type { InstrumentedTokens };
export { instrument };
