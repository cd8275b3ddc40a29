import type { OpenOptions } from '../libraries/library'
import type { Measurements, StepParameters } from './session'
import type { SessionName } from './sessions'

/** What a worker measures. */
interface Assignment {
  readonly session: SessionName
  /** The id of the library. */
  readonly library: string
  readonly options: OpenOptions
}

/** Measures one library, step by step. */
export interface Worker {
  step(parameters: StepParameters): Promise<Measurements>
  stop(): Promise<void>
}

/** Starts workers: each in a process of its own, or for tests in this one. */
export interface Workers {
  start(assignment: Assignment): Promise<Worker>
}

/** What a worker process gets: its work, and then one message for each step. */
export type ToWorker =
  | { readonly type: 'start'; readonly assignment: Assignment }
  | { readonly type: 'step'; readonly parameters: StepParameters }

/** What it sends back: one message for each that it got. */
export type FromWorker = { readonly measurements: Measurements } | { readonly error: string }
