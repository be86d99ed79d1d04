import { ChangeChannel } from './change-channel.ts'
import type { Coverage } from './coverage.ts'
import { History } from './history.ts'
import type { Plan } from './plan.ts'
import type { SimulatedProcess } from './process.ts'
import { Scheduler } from './scheduler.ts'
import { SimulatedServer } from './server.ts'
import { StoreWatch } from './store-watch.ts'
import type { Timeline } from './timeline.ts'

export interface Violation {
  /** The promise or invariant that was broken. */
  readonly rule: string
  readonly text: string
}

/** What everything in one run shares. */
export class World {
  readonly plan: Plan
  readonly coverage: Coverage
  readonly timeline: Timeline | undefined
  readonly scheduler: Scheduler = new Scheduler()
  readonly server: SimulatedServer
  readonly history: History = new History()
  readonly keys: readonly string[]
  readonly watch: StoreWatch
  readonly changes: ChangeChannel
  readonly processes: SimulatedProcess[] = []
  /** The longest lease and hard timeout that any call of the plan may ask for. */
  readonly longest: { readonly leaseMs: number; readonly hardMs: number }
  violation: Violation | undefined
  /** The run has ended: what still settles is only cleared away. */
  over = false
  swapped = false
  /** When the last snapshot was taken. */
  snapshotSeq = 0
  /** When the server last came back with that. */
  restoredSeq = 0
  /** How many changes it had counted. */
  snapshotChanges = 0
  /** Messages that arrived: requests, replies, wake-ups. */
  deliveries = 0
  /** Messages that met with something. */
  readonly spoiled: string[] = []
  readonly #overListeners = new Set<() => void>()
  #seq = 0
  #hash = 0

  constructor(plan: Plan, coverage: Coverage, timeline: Timeline | undefined) {
    this.plan = plan
    this.coverage = coverage
    this.timeline = timeline
    this.keys = [...new Set(plan.ops.map(op => op.key).filter(key => key !== ''))]
    this.server = new SimulatedServer(this.scheduler)
    this.watch = new StoreWatch(this)
    this.changes = new ChangeChannel(this)
    this.longest = longestOf(plan)
  }

  get now(): number {
    return this.scheduler.now
  }

  /** What two runs of one plan must have in common. */
  get hash(): number {
    return this.#hash >>> 0
  }

  /** Numbers everything that happens in the order in which it does. */
  nextSeq(): number {
    return ++this.#seq
  }

  /** Only the first violation counts: what follows it may follow from it. */
  violate(rule: string, text: string): void {
    if (this.over || this.violation !== undefined) return
    this.violation = { rule, text }
    this.note('', () => `VIOLATION of ${rule}: ${text}`)
  }

  note(who: string, text: () => string): void {
    this.timeline?.add(this.now, who, text())
  }

  /** Makes `number`, here and now, part of what runs of one plan have in common. */
  remember(number: number): void {
    this.#hash = Math.imul(this.#hash ^ number ^ Math.imul(this.now * 256, 0x9e3779b1), 0x01000193)
    this.#hash ^= this.#hash >>> 13
  }

  spoil(messageId: string): void {
    this.spoiled.push(messageId)
  }

  /** Calls back at the end of the run: for loaders that would never settle. Returns what forgets it. */
  whenOver(listener: () => void): () => void {
    this.#overListeners.add(listener)
    return () => this.#overListeners.delete(listener)
  }

  end(): void {
    this.over = true
    for (const listener of this.#overListeners) listener()
    this.#overListeners.clear()
  }
}

function longestOf({ ops, processes }: Plan): World['longest'] {
  const options = [...processes.map(process => process.options), ...ops.map(op => (op.kind === 'getOrSet' ? op.options : {}))]
  return {
    leaseMs: Math.max(...options.map(({ lease }) => Number(lease ?? 0))),
    hardMs: Math.max(...options.map(({ timeout }) => Number(timeout?.hard ?? 0))),
  }
}
