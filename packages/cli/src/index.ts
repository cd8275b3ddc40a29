export { type CheckOptions, check } from './check/check'
export type { CheckReport, CheckStep, CheckStepName } from './check-report'
export type { AuthMethod, ClientSettings } from './client-settings'
export { EXIT_CODES, type ExitCode } from './exit-codes'
