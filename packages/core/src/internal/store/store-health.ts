import type { Clock } from '../../clock'
import type { StoreFailed } from '../../events'
import { errorCode } from '../util/error-code'
import type { Emit } from '../util/event-emitter'
import { type StoreFault, storeFault } from '../util/store-fault'

/** Reports failures of the store, and when it works again. */
export class StoreHealth {
  readonly #clock: Clock
  readonly #emit: Emit
  readonly #faults = new Set<StoreFault>()
  #failingSince = 0
  /** When the first call after the last failure succeeded. Undefined: none has. */
  #worksSince: number | undefined = Number.NEGATIVE_INFINITY

  constructor(clock: Clock, emit: Emit) {
    this.#clock = clock
    this.#emit = emit
  }

  get isFailing(): boolean {
    return this.#faults.size > 0
  }

  /** How long no call has failed, as far as this process knows, in milliseconds. */
  get worksForMs(): number {
    return this.#clock.monotonic() - (this.#worksSince ?? this.#clock.monotonic())
  }

  /** A call failed. @param error what the store threw, or `timeout` */
  noteFailure(operation: StoreFailed['operation'], error: unknown): void {
    this.#worksSince = undefined
    this.#note({ operation, reason: error === 'timeout' ? error : errorCode(error) })
  }

  /** The store was asked for a token, and had something under its key. */
  noteEntry(isValid: boolean): void {
    if (isValid) this.#clear(['entry'])
    else this.#note({ operation: 'get', reason: 'invalid_entry' })
  }

  /** A call succeeded. */
  noteSuccess(operation: StoreFailed['operation']): void {
    this.#worksSince ??= this.#clock.monotonic()
    // A lease reads and writes.
    this.#clear(operation === 'get' ? ['read'] : operation === 'lease' ? ['read', 'write'] : ['write'])
  }

  #note(failure: StoreFailed): void {
    if (!this.isFailing) this.#failingSince = this.#clock.monotonic()
    this.#faults.add(storeFault(failure))
    this.#emit('storeFailed', failure)
  }

  #clear(faults: readonly StoreFault[]): void {
    if (!this.isFailing) return
    for (const fault of faults) this.#faults.delete(fault)
    if (!this.isFailing) this.#emit('storeRecovered', { failedForMs: this.#clock.monotonic() - this.#failingSince })
  }
}
