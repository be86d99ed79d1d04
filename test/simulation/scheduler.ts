/** Whoever an event happens to: a paused one keeps it for later, a dead one never hears of it. */
export interface Owner {
  readonly state: 'running' | 'paused' | 'dead'
  readonly backlog: ScheduledEvent[]
}

export interface ScheduledEvent {
  readonly at: number
  readonly order: number
  readonly act: () => void
  readonly owner: Owner | undefined
  readonly isTimer: boolean
  cancelled: boolean
}

/** Times are multiples of 1/256 ms, so that sums of them are exact. */
const grain = 256
const turnsAtOnce = 256
// Taken before a test runner can put a fake in its place.
const nextTurn = setImmediate

/** Virtual time, and everything that is going to happen in it. */
export class Scheduler {
  #now = 0
  #order = 0
  #step = 0
  readonly #heap: ScheduledEvent[] = []

  get now(): number {
    return this.#now
  }

  /** Which event happens now. Whatever it sets off in promises belongs to it. */
  get step(): number {
    return this.#step
  }

  after(delayMs: number, act: () => void, owner?: Owner, isTimer = false): ScheduledEvent {
    const at = Math.ceil((this.#now + delayMs) * grain) / grain
    const event: ScheduledEvent = { at, order: this.#order++, act, owner, isTimer, cancelled: false }
    this.#push(event)
    return event
  }

  /** Lets events happen, each with all that promises make of it, until there are none, or `done`, or `limit` is reached. */
  run(done: () => boolean, limit: number): Promise<'done' | 'idle' | 'limit'> {
    return new Promise((resolve, reject) => {
      let left = 0
      let ended = false
      const end = (how: 'done' | 'idle' | 'limit'): void => {
        ended = true
        resolve(how)
      }
      // Microtasks run between two immediates, those of one turn too: so each event is over before the next, without a turn of the loop for each.
      const turn = (): void => {
        left--
        if (ended) return
        try {
          if (done()) return end('done')
          const event = this.#pop()
          if (event === undefined) return end('idle')
          if (event.at > limit) {
            this.#push(event)
            return end('limit')
          }
          this.#happen(event)
          if (left === 0) refill()
        } catch (error) {
          ended = true
          reject(error)
        }
      }
      const refill = (): void => {
        left = turnsAtOnce
        for (let count = 0; count < turnsAtOnce; count++) nextTurn(turn)
      }
      refill()
    })
  }

  #happen(event: ScheduledEvent): void {
    this.#now = Math.max(this.#now, event.at)
    this.#step++
    const { owner } = event
    if (owner?.state === 'dead') return
    if (owner?.state === 'paused') owner.backlog.push(event)
    else event.act()
  }

  #push(event: ScheduledEvent): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(event)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(event, heap[parent] as ScheduledEvent)) break
      heap[at] = heap[parent] as ScheduledEvent
      at = parent
    }
    heap[at] = event
  }

  #pop(): ScheduledEvent | undefined {
    for (;;) {
      const top = this.#popTop()
      if (top === undefined || !top.cancelled) return top
    }
  }

  #popTop(): ScheduledEvent | undefined {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (top === undefined || last === undefined || heap.length === 0) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1] as ScheduledEvent, heap[child] as ScheduledEvent)) child++
      if (!before(heap[child] as ScheduledEvent, last)) break
      heap[at] = heap[child] as ScheduledEvent
      at = child
    }
    heap[at] = last
    return top
  }
}

function before(a: ScheduledEvent, b: ScheduledEvent): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
