import { InterceptingCall, type InterceptingListener, Metadata, type StatusObject } from '@grpc/grpc-js'
import type { RequestAuthorization } from '@tokenward/core'
import type { Attempt, Authorize } from './attempt'

type Message = Parameters<InterceptingCall['sendMessageWithContext']>

/** A call to the interceptor below, and its token. */
export interface SentCall {
  readonly call: ConstructorParameters<typeof InterceptingCall>[0]
  readonly attempt: Attempt
}

interface TokenCallContext {
  /** Whether the call is sent once more when the server rejects its token. */
  readonly isRepeatable: boolean
  /** Makes a call, which is not started. @throws Error when the channel was closed */
  create(authorize: Authorize): SentCall
  begin(headers: () => Headers, signal: () => AbortSignal): RequestAuthorization | Promise<RequestAuthorization>
}

/** A call with a token, which may be sent twice. */
export class TokenCall extends InterceptingCall {
  readonly #first: Attempt
  readonly #context: TokenCallContext
  /** Detaches the caller from the token. Made when there is something to wait for. */
  #ending: AbortController | undefined
  #hasEnded = false
  #metadata = new Metadata()
  #message: Message | undefined
  #isHalfClosed = false
  /** The call that is sent in place of the first one. */
  #second: SentCall['call'] | undefined

  constructor({ call, attempt }: SentCall, context: TokenCallContext) {
    super(call)
    this.#first = attempt
    this.#context = context
  }

  /** What the call is sent with. */
  begin(): RequestAuthorization | Promise<RequestAuthorization> {
    return this.#context.begin(
      () => headersOf(this.#metadata),
      () => this.#signal(),
    )
  }

  override start(metadata: Metadata, listener: Partial<InterceptingListener> = {}): void {
    this.#metadata = metadata.clone()
    // Two values would fail the call.
    this.#metadata.remove('authorization')
    super.start(this.#metadata, this.#context.isRepeatable ? this.#repeating(listener) : this.#passing(listener))
  }

  override sendMessageWithContext(...message: Message): void {
    if (this.#context.isRepeatable) this.#message = message
    if (this.#second) this.#second.sendMessageWithContext(...message)
    else super.sendMessageWithContext(...message)
  }

  override halfClose(): void {
    this.#isHalfClosed = true
    if (this.#second) this.#second.halfClose()
    else super.halfClose()
  }

  override cancelWithStatus(...status: Parameters<InterceptingCall['cancelWithStatus']>): void {
    if (this.#second) this.#second.cancelWithStatus(...status)
    else super.cancelWithStatus(...status)
  }

  override getPeer(): string {
    return this.#second ? this.#second.getPeer() : super.getPeer()
  }

  override getAuthContext(): ReturnType<InterceptingCall['getAuthContext']> {
    return this.#second ? this.#second.getAuthContext() : super.getAuthContext()
  }

  #signal(): AbortSignal {
    this.#ending ??= new AbortController()
    if (this.#hasEnded) this.#ending.abort()
    return this.#ending.signal
  }

  /** Passes everything on. */
  #passing(listener: Partial<InterceptingListener>): InterceptingListener {
    return {
      onReceiveMetadata: (metadata) => listener.onReceiveMetadata?.(metadata),
      onReceiveMessage: (message) => {
        // A stream may end much later, and then with a status that says nothing about its beginning.
        if (message !== null) this.#first.accept()
        listener.onReceiveMessage?.(message)
      },
      onReceiveStatus: (status) => {
        this.#finish(this.#first, status, listener)
      },
    }
  }

  /** Sends the call once more when the server rejects its token, and has sent nothing else (gRFC A6). */
  #repeating(listener: Partial<InterceptingListener>): InterceptingListener {
    let isAnswered = false
    return {
      onReceiveMetadata: (metadata) => {
        isAnswered = true
        listener.onReceiveMetadata?.(metadata)
      },
      onReceiveMessage: (message) => {
        // Null: there is none. The status follows.
        if (message === null) return
        isAnswered = true
        listener.onReceiveMessage?.(message)
      },
      onReceiveStatus: (status) => {
        if (!isAnswered && this.#first.isRejectedBy(status)) {
          this.#repeat(status, this.#first.next(status, true), listener)
        } else {
          if (!isAnswered) listener.onReceiveMessage?.(null)
          this.#finish(this.#first, status, listener)
        }
      },
    }
  }

  /** The second call starts at once, so that grpc-js watches the deadline while the new token is requested. */
  #repeat(
    rejection: StatusObject,
    again: Promise<RequestAuthorization | undefined>,
    listener: Partial<InterceptingListener>,
  ): void {
    const fail = () => {
      listener.onReceiveMessage?.(null)
      this.#end(rejection, listener)
    }
    let second: SentCall
    try {
      second = this.#context.create(() => again)
    } catch {
      fail()
      return
    }
    const { call, attempt } = second
    this.#second = call
    let hasMessage = false
    call.start(this.#metadata, {
      onReceiveMetadata: (metadata) => listener.onReceiveMetadata?.(metadata),
      onReceiveMessage: (message) => {
        hasMessage ||= message !== null
        if (message !== null) listener.onReceiveMessage?.(message)
      },
      onReceiveStatus: (status) => {
        if (attempt.wasNotSent) return fail()
        if (!hasMessage) listener.onReceiveMessage?.(null)
        this.#finish(attempt, status, listener)
      },
    })
    if (this.#message) call.sendMessageWithContext(...this.#message)
    if (this.#isHalfClosed) call.halfClose()
  }

  /** Ends the call with the status of an attempt. After a rejection, the next call of the caller must get a new token. */
  #finish(attempt: Attempt, status: StatusObject, listener: Partial<InterceptingListener>): void {
    const end = () => this.#end(attempt.statusOf(status), listener)
    const noted = attempt.next(status, false)
    if (attempt.isRejectedBy(status)) void noted.then(end)
    else end()
  }

  #end(status: StatusObject, listener: Partial<InterceptingListener>): void {
    this.#hasEnded = true
    this.#ending?.abort()
    listener.onReceiveStatus?.(status)
  }
}

/** The text values of metadata. */
function headersOf(metadata: Metadata): Headers {
  const headers = new Headers()
  for (const name of Object.keys(metadata.getMap())) {
    for (const value of metadata.get(name)) if (typeof value === 'string') headers.append(name, value)
  }
  return headers
}
