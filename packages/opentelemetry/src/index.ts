export { type InstrumentedTokens, type InstrumentOptions, instrument } from './instrument'
