import { InterceptingCall, type InterceptingListener, Metadata, type StatusObject } from '@grpc/grpc-js'
import type { RequestAuthorization } from '@tokenward/core'
import type { Attempt, Authorize } from './attempt'
import type { CallEnd } from './call-end'

type Message = Parameters<InterceptingCall['sendMessageWithContext']>

const NONE = new Metadata()

/** A call to the interceptor below, and its token. */
export interface SentCall {
  readonly call: ConstructorParameters<typeof InterceptingCall>[0]
  readonly attempt: Attempt
}

interface TokenCallContext {
  /** Whether the call is sent once more when the server rejects its token. */
  readonly isRepeatable: boolean
  readonly end: CallEnd
  /** Makes a call, which is not started. @throws Error when the channel was closed */
  create(authorize: Authorize): SentCall
}

/** A call with a token, which may be sent twice. */
export class TokenCall extends InterceptingCall {
  readonly #first: Attempt
  readonly #context: TokenCallContext
  #metadata = NONE
  #message: Message | undefined
  #isHalfClosed = false
  /** The call that is sent in place of the first one. */
  #second: SentCall['call'] | undefined

  constructor({ call, attempt }: SentCall, context: TokenCallContext) {
    super(call)
    this.#first = attempt
    this.#context = context
  }

  /** The text values of the metadata. */
  headers(): Headers {
    const headers = new Headers()
    for (const name of Object.keys(this.#metadata.getMap())) {
      for (const value of this.#metadata.get(name)) if (typeof value === 'string') headers.append(name, value)
    }
    return headers
  }

  override start(given: Metadata, listener: Partial<InterceptingListener> = {}): void {
    const metadata = given.clone()
    // Two values would fail the call.
    metadata.remove('authorization')
    this.#metadata = metadata
    for (const [name, value] of Object.entries(this.#first.headers)) metadata.set(name, value)
    super.start(metadata, this.#context.isRepeatable ? this.#repeating(listener) : this.#passing(listener))
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
    // The new token comes as credentials of the call.
    for (const name of Object.keys(this.#first.headers)) this.#metadata.remove(name)
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
    this.#context.end.come()
    listener.onReceiveStatus?.(status)
  }
}
