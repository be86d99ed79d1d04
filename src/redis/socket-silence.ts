import type { Redis } from 'ioredis'
import { endOfTurn } from './turns.ts'

/** Checks in a row that may go without a single byte from the server. */
const silentChecks = 2

/** Notices when the server says nothing at all on the socket of a client. */
export class SocketSilence {
  readonly #redis: Redis
  #checks = 0
  #bytesSeen = 0

  constructor(redis: Redis) {
    this.#redis = redis
  }

  get bytesRead(): number {
    const stream: unknown = this.#redis.stream
    return typeof stream === 'object' && stream !== null && 'bytesRead' in stream ? Number(stream.bytesRead) : 0
  }

  get encrypted(): boolean {
    const stream: unknown = this.#redis.stream
    return typeof stream === 'object' && stream !== null && 'encrypted' in stream
  }

  /** Starts to count the checks without a byte. */
  watch(): void {
    this.#checks = 0
    this.#bytesSeen = this.bytesRead
  }

  /** One more check, while an answer is due. `onDead` is called when it was one too many. */
  check(onDead: () => void): void {
    const bytes = this.bytesRead
    if (bytes !== this.#bytesSeen) return this.watch()
    if (++this.#checks < silentChecks) return
    // After an event-loop stall the answer may lie in the socket unread.
    endOfTurn(() => {
      if (this.bytesRead === bytes) onDead()
    })
  }
}
