import type { Clock } from '../../clock'
import type { StoreFailed } from '../../events'
import { errorCode } from '../util/error-code'
import type { Emit } from '../util/event-emitter'

/** In what way a store fails. A store that can be read may refuse writes, and one that works may hold rubbish. */
type Fault = 'read' | 'write' | 'entry'

/** Reports failures of the store, and when it works again. */
export class StoreHealth {
  readonly #clock: Clock
  readonly #emit: Emit
  readonly #faults = new Set<Fault>()
  #failingSince = 0

  constructor(clock: Clock, emit: Emit) {
    this.#clock = clock
    this.#emit = emit
  }

  get isFailing(): boolean {
    return this.#faults.size > 0
  }

  /** A call failed. @param error what the store threw, or `timeout` */
  noteFailure(operation: StoreFailed['operation'], error: unknown): void {
    this.#note(operation === 'get' ? 'read' : 'write', operation, error === 'timeout' ? error : errorCode(error))
  }

  /** The store holds something that is not the expected token. */
  noteEntry(isValid: boolean): void {
    if (isValid) this.#clear(['entry'])
    else this.#note('entry', 'get', 'invalid_entry')
  }

  /** A call succeeded. */
  noteSuccess(operation: StoreFailed['operation']): void {
    // A lease reads and writes.
    this.#clear(operation === 'get' ? ['read'] : operation === 'lease' ? ['read', 'write'] : ['write'])
  }

  #note(fault: Fault, operation: StoreFailed['operation'], reason: string): void {
    const wasFailing = this.#faults.has(fault)
    if (!this.isFailing) this.#failingSince = this.#clock.monotonic()
    this.#faults.add(fault)
    this.#emit('storeFailed', { operation, reason, wasFailing })
  }

  #clear(faults: readonly Fault[]): void {
    if (!this.isFailing) return
    for (const fault of faults) this.#faults.delete(fault)
    if (!this.isFailing) this.#emit('storeRecovered', { failedForMs: this.#clock.monotonic() - this.#failingSince })
  }
}
