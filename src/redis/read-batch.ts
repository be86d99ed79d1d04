import type { Clock, StoredBytes } from '../core/ports.ts'
import { BatchDeadline } from './batch-deadline.ts'
import type { Breaker } from './breaker.ts'
import { withDeadline } from './deadline.ts'
import { commandFailure } from './failures.ts'
import { endOfTurn, nextTick } from './turns.ts'

/** A read's answer: the bytes, null for none, or an error of this key alone. */
export type ReadReply = Buffer | null | Error

type Resolve = (bytes: Buffer | null | Promise<Buffer | null>) => void
type Reject = (error: unknown) => void

export interface ReadBatchOptions {
  readonly clock: Clock
  readonly breaker: Pick<Breaker, 'begin' | 'end'>
  /** Sends one command, or one pipeline. Replies come in the order of the keys. */
  readonly send: (keys: string[]) => Promise<readonly ReadReply[]>
  /** What becomes of a key whose own reply is an error. */
  readonly recover: (key: string, error: Error, remainingMs: number) => Promise<Buffer | null>
}

/** A namespace record that is read along with the keys of its namespace. */
export interface RecordAlong {
  readonly key: string
  /** Told before a command leaves that reads it. Returns what to give back to `take`. */
  ask(): number
  take(asked: number, bytes: Buffer | null): void
}

const maxKeys = 512
const maxExpectedBytes = 1024 * 1024
/** The share of the newest reply in the running average of bytes per key. */
const newestShare = 0.2

/** The reads of one tick, in columns: one object per read is what the hit path cannot afford. */
interface Reads {
  readonly keys: string[]
  readonly resolves: Resolve[]
  readonly rejects: Reject[]
  readonly timeouts: number[]
  /** Namespace records that are read along with them. */
  readonly records: RecordAlong[]
}

interface OpenBatch extends Reads {
  readonly timeoutMs: number
  /** Reads that others may join until they leave. */
  readonly shared: Map<string, Promise<Buffer | null>>
}

// Taken out of the executor by hand, so that a read allocates no closure.
let takenResolve!: Resolve
let takenReject!: Reject
const take = (resolve: Resolve, reject: Reject): void => {
  takenResolve = resolve
  takenReject = reject
}

/** Collects the reads of one event-loop tick, so that they leave as one command. */
export class ReadBatch {
  readonly #options: ReadBatchOptions
  readonly #flush = (): void => this.#leave()
  #open: OpenBatch | undefined
  #averageBytes = 256
  #inFlight = 0
  #repliedAt = -Infinity

  constructor(options: ReadBatchOptions) {
    this.#options = options
  }

  /**
   * The bytes at `key`. Shared with others who ask for it before the command leaves, and with nobody afterwards.
   *
   * @param record Taken before the bytes are handed out.
   */
  read(key: string, timeoutMs: number, record?: RecordAlong): Promise<Buffer | null> {
    let batch = this.#open
    if (batch === undefined) {
      batch = { keys: [], resolves: [], rejects: [], timeouts: [], records: [], timeoutMs, shared: new Map() }
      this.#open = batch
      // Alone, the read leaves at once. While others are on their way it waits for the end of the event-loop turn, so that reads
      // that come in over many sockets travel together too.
      if (this.#inFlight === 0) nextTick(this.#flush)
      else endOfTurn(this.#flush)
    }
    // Nearly always there is one namespace.
    if (record !== undefined && record !== batch.records[0] && !batch.records.includes(record)) batch.records.push(record)
    const joinable = timeoutMs === batch.timeoutMs
    if (joinable) {
      const read = batch.shared.get(key)
      if (read !== undefined) return read
    }
    const read = new Promise<Buffer | null>(take)
    batch.keys.push(key)
    batch.resolves.push(takenResolve)
    batch.rejects.push(takenReject)
    batch.timeouts.push(timeoutMs)
    if (joinable) batch.shared.set(key, read)
    return read
  }

  /** When the newest reply came to reads that travelled together; monotonic ms. */
  get repliedAt(): number {
    return this.#repliedAt
  }

  /** The bytes at many keys, sent now and shared with nobody, so that no promise is made for each key. Never rejects. */
  async readMany(keys: string[], timeoutMs: number, record?: RecordAlong): Promise<readonly StoredBytes[]> {
    const limit = this.#limit()
    if (keys.length <= limit) return this.#readAtOnce(keys, timeoutMs, record)
    const parts: Promise<readonly StoredBytes[]>[] = []
    for (let start = 0; start < keys.length; start += limit) {
      parts.push(this.#readAtOnce(keys.slice(start, start + limit), timeoutMs, record))
    }
    return (await Promise.all(parts)).flat()
  }

  async #readAtOnce(keys: string[], timeoutMs: number, record: RecordAlong | undefined): Promise<readonly StoredBytes[]> {
    const { clock, send, recover, breaker } = this.#options
    const sample = breaker.begin()
    const { sentAt } = sample
    const asked = record?.ask() ?? 0
    this.#inFlight++
    let replies: readonly ReadReply[]
    try {
      replies = await withDeadline(clock, 'a read', timeoutMs, time => {
        time.inFlight = true
        return send(record === undefined ? keys : [...keys, record.key])
      })
      breaker.end(sample)
    } catch (error) {
      const failure = commandFailure('a read', error)
      breaker.end(sample, failure)
      return keys.map(() => failure)
    } finally {
      this.#inFlight--
    }
    if (record !== undefined) {
      record.take(asked, bytesOf(replies[keys.length]))
      replies = replies.slice(0, keys.length)
    }
    this.#weigh(replies, keys.length)
    if (!replies.some(reply => reply instanceof Error)) return replies as readonly StoredBytes[]
    const leftMs = timeoutMs - (clock.now() - sentAt)
    const settle = async (reply: ReadReply, index: number): Promise<StoredBytes> => {
      if (!(reply instanceof Error)) return reply
      return recover(keys[index] as string, reply, leftMs).catch((failure: unknown) => commandFailure('a read', failure))
    }
    return Promise.all(replies.map(settle))
  }

  #limit(): number {
    return Math.max(1, Math.min(maxKeys, Math.floor(maxExpectedBytes / this.#averageBytes)))
  }

  #weigh(replies: readonly ReadReply[], count: number): void {
    let bytes = 0
    for (let i = 0; i < count; i++) bytes += bytesOf(replies[i])?.length ?? 0
    this.#averageBytes += (bytes / count - this.#averageBytes) * newestShare
  }

  #leave(): void {
    const batch = this.#open
    if (batch === undefined) return
    this.#open = undefined
    const limit = this.#limit()
    if (batch.keys.length <= limit) return this.#send(batch)
    for (let start = 0; start < batch.keys.length; start += limit) {
      const end = start + limit
      this.#send({
        keys: batch.keys.slice(start, end),
        resolves: batch.resolves.slice(start, end),
        rejects: batch.rejects.slice(start, end),
        timeouts: batch.timeouts.slice(start, end),
        records: batch.records,
      })
    }
  }

  #send(reads: Reads): void {
    const { clock, breaker } = this.#options
    const sample = breaker.begin()
    const { sentAt } = sample
    const deadline = new BatchDeadline(clock, sample, reads, breaker)
    const asked: number[] = []
    for (const record of reads.records) {
      asked.push(record.ask())
      reads.keys.push(record.key)
    }
    this.#inFlight++
    this.#options.send(reads.keys).then(
      replies => {
        this.#inFlight--
        this.#repliedAt = clock.now()
        deadline.stop()
        breaker.end(sample)
        for (const [nth, record] of reads.records.entries()) {
          record.take(asked[nth] as number, bytesOf(replies[reads.resolves.length + nth]))
        }
        return this.#answer(reads, replies, this.#repliedAt - sentAt)
      },
      (error: unknown) => {
        this.#inFlight--
        deadline.stop()
        const failure = commandFailure('a read', error)
        breaker.end(sample, failure)
        for (const reject of reads.rejects) reject(failure)
      },
    )
  }

  /**
   * Hands the reply out in two parts: Redis works on what the first half asks for next while the second is answered. At once, callers that go on to their next
   * read would all ask together again, and either they or Redis would always be idle. What is asked while a command is on its way leaves at the end of the turn,
   * so the halves do not split further.
   */
  #answer(reads: Reads, replies: readonly ReadReply[], tookMs: number): void {
    const count = reads.resolves.length
    this.#weigh(replies, count)
    const first = Math.ceil(count / 2)
    this.#answerSome(reads, replies, tookMs, 0, first)
    if (first < count) nextTick(() => this.#answerSome(reads, replies, tookMs, first, count))
  }

  #answerSome(reads: Reads, replies: readonly ReadReply[], tookMs: number, from: number, to: number): void {
    const { keys, resolves, rejects, timeouts } = reads
    for (let i = from; i < to; i++) {
      const reply = replies[i] ?? null
      const resolve = resolves[i] as Resolve
      const reject = rejects[i] as Reject
      if (reply === null) resolve(null)
      else if (reply instanceof Error)
        this.#options.recover(keys[i] as string, reply, (timeouts[i] as number) - tookMs).then(resolve, reject)
      else resolve(reply)
    }
  }
}

function bytesOf(reply: ReadReply | undefined): Buffer | null {
  return Buffer.isBuffer(reply) ? reply : null
}
