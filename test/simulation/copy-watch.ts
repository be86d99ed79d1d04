import type { Change } from '../../src/core/ports.ts'
import type { MadeChange } from './change-channel.ts'
import type { CallRecord } from './history.ts'
import type { SimulatedProcess } from './process.ts'
import type { Violation } from './world.ts'

/** How long after a pulse was sent the bus is trusted. */
export const detectionMs = 3000

/** What a process knows of changes at one moment. */
export interface Knowledge {
  /** So many of the changes that the server has made it must know of. */
  readonly toldOf: number
  /** When the last pulse was sent that it has heard on this subscription. */
  readonly provenAt: number
}

/** What one process with copies has been told of changes, and when it was proven that it hears of them: by that its copies are judged. */
export class CopyWatch {
  readonly #process: SimulatedProcess
  #toldOf = 0
  #provenAt = -Infinity
  #sequence: number | undefined
  /** When it last heard of a change of a key, or of more than a key (under `''`). */
  readonly #heardSeq = new Map<string, number>()

  constructor(process: SimulatedProcess) {
    this.#process = process
  }

  get knowledge(): Knowledge {
    return { toldOf: this.#toldOf, provenAt: this.#provenAt }
  }

  /** Lets the process hear of a change. */
  hears(change: Change, upTo: number, sentAt: number, hear: () => void): void {
    const { world, link, closing } = this.#process
    const before = this.#copies
    hear()
    // A pulse that cannot be dated is none.
    if (closing || (change.kind === 'pulse' && Number.isNaN(link.now()))) return
    const inTurn = this.#sequence === (change.kind === 'pulse' ? change.sequence : change.sequence - 1)
    if (change.kind === 'pulse' || this.#sequence !== undefined) this.#sequence = change.sequence
    this.#toldOf = Math.max(this.#toldOf, upTo)
    if (change.kind === 'pulse') this.#provenAt = Math.max(this.#provenAt, sentAt)
    const isKey = change.kind === 'key' && inTurn
    if (change.kind !== 'pulse' || !inTurn) this.#heardSeq.set(isKey ? change.wakeId : '', world.nextSeq())
    if (before > 0) this.#count(change, inTurn, before)
  }

  losesBus(): void {
    this.#sequence = undefined
    this.#provenAt = -Infinity
    if (this.#copies > 0) this.#process.world.coverage.count('copies become suspect')
  }

  /** A call was answered from the store with a fresh value, of which a copy may be kept. */
  offered({ key, version, beganSeq }: CallRecord): void {
    const { cache, world } = this.#process
    if (version !== 0) return
    const trusted = cache.status().local?.trusted === true
    if (!trusted) return world.coverage.count('copy not kept: no trust')
    if (cache.peek(key) !== undefined) return world.coverage.count('copy kept')
    const heard = Math.max(this.#heardSeq.get(`0:${key}`) ?? 0, this.#heardSeq.get('') ?? 0)
    if (heard > beganSeq) world.coverage.count('copy not kept: changed since it was asked for')
  }

  /** A copy answers only while it is proven that changes are heard, however long the process stood still. */
  brokenByTrust(call: CallRecord): Violation | undefined {
    const { provenAt } = call.knew ?? this.knowledge
    const { world, name } = this.#process
    const provenMs = call.beganAt - provenAt
    if (provenMs < detectionMs || world.server.clockStepped) return undefined
    const text = `call ${call.nth} of ${name} for ${call.key} was answered by a copy ${ms(provenMs)} after the last pulse that it heard was sent`
    return { rule: 'P3: only a bus that is proven alive is trusted', text }
  }

  /** What the process was told of, its copies respect at once. Those that are fresh answer at once, too, and those of an outage when the store has failed. */
  brokenByTold(call: CallRecord, bornSeq: number, tags: readonly string[]): Violation | undefined {
    const { world, name } = this.#process
    const { toldOf } = call.answer === 'hit local' ? (call.knew ?? this.knowledge) : this.knowledge
    for (const made of world.changes.made.slice(0, toldOf)) {
      if (made.undone || bornSeq >= made.bornBeforeSeq || !reaches(made, call, tags)) continue
      const what = made.change.kind === 'key' ? 'its change' : made.change.kind
      const text = `call ${call.nth} of ${name} for ${call.key} was answered by an older copy after the process had been told of ${what}`
      return { rule: 'P3: what is told is gone', text }
    }
    return undefined
  }

  get #copies(): number {
    return this.#process.cache.status().local?.entries ?? 0
  }

  #count({ kind, ...change }: Change, inTurn: boolean, before: number): void {
    const { coverage } = this.#process.world
    if (!inTurn) coverage.count(`resync at a ${kind === 'pulse' ? 'pulse' : 'change'}`)
    else if (kind === 'tags' || kind === 'clear') coverage.count(`copies told of ${kind}`)
    else if (kind === 'key' && this.#copies < before) coverage.count('copy told of and removed')
    else if (kind === 'key' && 'token' in change && change.token !== undefined) coverage.count('copy told of by its own token')
  }
}

function reaches({ change }: MadeChange, call: CallRecord, tags: readonly string[]): boolean {
  switch (change.kind) {
    case 'clear':
      return true
    case 'tags':
      return change.tags.some(tag => tags.includes(tag))
    case 'key':
      return change.key.key === call.key && change.key.version === call.version
  }
}

function ms(duration: number): string {
  return `${duration.toFixed(1)} ms`
}
