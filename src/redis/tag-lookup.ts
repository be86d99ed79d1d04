import { StoreError } from '../core/errors.ts'
import type { NewestTagRequest } from '../core/ports.ts'
import { floorOf } from './keys.ts'
import { endOfTurn } from './turns.ts'

const mostPerCommand = 1000

interface Asker {
  /** Where its tags stand among those of the command. */
  readonly places: readonly number[]
  readonly resolve: (newest: number) => void
  readonly reject: (error: unknown) => void
}

interface OpenLookup {
  readonly epoch: Buffer
  readonly timeoutMs: number
  /** Of each tag among the members of the command, of which the floor is the first. */
  readonly places: Map<string, number>
  readonly askers: Asker[]
}

/** Collects the tags that are looked up in one turn of the event loop, so that they leave as one command. */
export class TagLookup {
  readonly #ask: (members: readonly (string | Buffer)[], timeoutMs: number) => Promise<readonly unknown[]>
  #open: OpenLookup | undefined

  /** @param ask The scores of members of the table, null for each that is not there. */
  constructor(ask: (members: readonly (string | Buffer)[], timeoutMs: number) => Promise<readonly unknown[]>) {
    this.#ask = ask
  }

  newest({ epoch, tags, timeoutMs }: NewestTagRequest): Promise<number> {
    const open = this.#opened(epoch, timeoutMs)
    const places = tags.map(tag => {
      const known = open.places.get(tag)
      if (known !== undefined) return known
      open.places.set(tag, open.places.size + 1)
      return open.places.size
    })
    return new Promise((resolve, reject) => void open.askers.push({ places, resolve, reject }))
  }

  #opened(epoch: Buffer, timeoutMs: number): OpenLookup {
    const current = this.#open
    if (current?.timeoutMs === timeoutMs && current.places.size < mostPerCommand && current.epoch.equals(epoch)) return current
    const opened: OpenLookup = { epoch, timeoutMs, places: new Map(), askers: [] }
    this.#open = opened
    // At the end of the turn: a reply of reads is handed out in two parts.
    endOfTurn(() => {
      if (this.#open === opened) this.#open = undefined
      void this.#send(opened)
    })
    return opened
  }

  async #send({ epoch, timeoutMs, places, askers }: OpenLookup): Promise<void> {
    try {
      const scores = (await this.#ask([floorOf(epoch), ...places.keys()], timeoutMs)).map(sequenceOf)
      const forgotten = scores[0] ?? Infinity
      for (const asker of askers) {
        asker.resolve(asker.places.reduce((newest, place) => Math.max(newest, scores[place] ?? 0), forgotten))
      }
    } catch (error) {
      for (const asker of askers) asker.reject(error)
    }
  }
}

function sequenceOf(score: unknown): number | undefined {
  if (score === null) return undefined
  const sequence = Number(Buffer.isBuffer(score) ? score.toString('latin1') : score)
  if (Number.isNaN(sequence)) throw new StoreError('STORE_UNSUPPORTED', 'unknown', 'Redis gave zmscore a reply it does not have')
  return sequence
}
