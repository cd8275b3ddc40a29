/** How the local servers behave. */
export interface ServeOptions {
  /** 0: any free ports. */
  readonly port: number
  readonly lifetimeSeconds: number
  readonly dpop: boolean
  /** From 0 to 1. */
  readonly failRate: number
  readonly delayMs: number
}
