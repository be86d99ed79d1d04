import { StoreError } from '../core/errors.ts'

/** The member that says up to where the table has forgotten tags. */
const floor = ''
const mostPerCommand = 1000

interface Asker {
  /** Where its tags stand among those of the command. */
  readonly places: readonly number[]
  readonly resolve: (newest: number) => void
  readonly reject: (error: unknown) => void
}

interface OpenLookup {
  readonly timeoutMs: number
  readonly places: Map<string, number>
  readonly askers: Asker[]
}

/** Collects the tags that are looked up in one event-loop tick, so that they leave as one command. */
export class TagLookup {
  readonly #ask: (tags: readonly string[], timeoutMs: number) => Promise<readonly unknown[]>
  #open: OpenLookup | undefined

  /** @param ask The scores of members of the table, null for each that is not there. */
  constructor(ask: (tags: readonly string[], timeoutMs: number) => Promise<readonly unknown[]>) {
    this.#ask = ask
  }

  newest(tags: readonly string[], timeoutMs: number): Promise<number> {
    const open = this.#opened(timeoutMs)
    const places = tags.map(tag => {
      const known = open.places.get(tag)
      if (known !== undefined) return known
      open.places.set(tag, open.places.size)
      return open.places.size - 1
    })
    return new Promise((resolve, reject) => void open.askers.push({ places, resolve, reject }))
  }

  #opened(timeoutMs: number): OpenLookup {
    const current = this.#open
    if (current !== undefined && current.timeoutMs === timeoutMs && current.places.size < mostPerCommand) return current
    const opened: OpenLookup = { timeoutMs, places: new Map([[floor, 0]]), askers: [] }
    this.#open = opened
    process.nextTick(() => {
      if (this.#open === opened) this.#open = undefined
      void this.#send(opened)
    })
    return opened
  }

  async #send({ timeoutMs, places, askers }: OpenLookup): Promise<void> {
    try {
      const scores = (await this.#ask([...places.keys()], timeoutMs)).map(sequenceOf)
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
