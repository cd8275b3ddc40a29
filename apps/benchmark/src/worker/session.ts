import type { Library, OpenOptions } from '../libraries/library'

/** Numbers that one step of a benchmark measured, by name. */
export type Measurements = Readonly<Record<string, number>>

/** Says what a step does, in numbers and words. */
export type StepParameters = Readonly<Record<string, number | string>>

/** Measures one library. It lives in a process that measures nothing else. */
export interface Session {
  step(parameters: StepParameters): Promise<Measurements>
  close?(): Promise<void> | void
}

export type SessionFactory = (library: Library, options: OpenOptions) => Session | Promise<Session>
