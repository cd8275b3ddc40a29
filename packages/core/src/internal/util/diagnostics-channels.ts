import type { TokenEvents } from '../../events'

/** A channel of the platform's `diagnostics_channel`, as far as it is used here. */
export interface Channel {
  readonly hasSubscribers: boolean
  publish(message: unknown): void
}

const PREFIX = 'tokenward:'

/**
 * The diagnostics channels of the events. Node, Bun and Deno have `diagnostics_channel`, and other platforms do not: there, no
 * event has a channel. It is not imported, so that the package has no import of `node:`.
 */
export class DiagnosticsChannels {
  readonly #module: { channel(name: string): Channel } | undefined
  readonly #channels = new Map<keyof TokenEvents, Channel>()

  constructor() {
    try {
      this.#module = globalThis.process?.getBuiltinModule?.('diagnostics_channel')
    } catch {
      // A platform that has the function and not the module.
    }
  }

  /** The channel of an event. */
  of(event: keyof TokenEvents): Channel | undefined {
    if (!this.#module) return undefined
    const channel = this.#channels.get(event) ?? this.#module.channel(`${PREFIX}${event}`)
    this.#channels.set(event, channel)
    return channel
  }

  /** The channel of an event, if anyone has subscribed to it. */
  observed(event: keyof TokenEvents): Channel | undefined {
    const channel = this.of(event)
    return channel?.hasSubscribers ? channel : undefined
  }
}
