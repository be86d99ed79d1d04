import type { Cache } from '../../src/index.ts'
import { createCache } from '../../src/index.ts'
import { seededRandom } from '../../src/testing/seeded-random.ts'
import { CopyWatch } from './copy-watch.ts'
import { mix } from './dice.ts'
import { listenTo } from './event-watch.ts'
import type { CallRecord } from './history.ts'
import { Link } from './link.ts'
import type { ProcessPlan } from './plan.ts'
import { ProcessClock } from './process-clock.ts'
import type { Owner, ScheduledEvent } from './scheduler.ts'
import { namespace, tableId } from './server.ts'
import { Waiting } from './waiting.ts'
import type { World } from './world.ts'

/** One process of the fleet: a cache of its own, its own clock, its own way to the store. */
export class SimulatedProcess implements Owner {
  readonly name: string
  readonly world: World
  readonly plan: ProcessPlan
  readonly clock: ProcessClock
  readonly cache: Cache
  readonly waiting: Waiting
  /** Undefined if it keeps no copies. */
  readonly copies: CopyWatch | undefined
  readonly backlog: ScheduledEvent[] = []
  state: 'running' | 'paused' | 'dead' = 'running'
  closing = false
  closed = false
  /** How long it has stood still in all. */
  pausedMs = 0
  /** Calls by the moment at which they began, which their status records tell. */
  readonly callsByStart: Map<number, CallRecord> = new Map()
  /** The look-ups that are being begun, one for each key. */
  lookingUp: readonly CallRecord[] = []
  readonly #pending = new Map<string, Set<CallRecord>>()
  readonly #loads = new Map<string, number>()
  #doubted = false
  #link: Link | undefined

  constructor(world: World, name: string, plan: ProcessPlan) {
    this.world = world
    this.name = name
    this.plan = plan
    const seed = mix(world.plan.seed, world.processes.length)
    const serverOffsetMs = world.server.preciseNow - world.now
    this.clock = new ProcessClock(world.scheduler, this, (seed % 1000) * 1000, serverOffsetMs + plan.wallOffsetMs)
    this.waiting = new Waiting(world, this)
    this.copies = plan.options.local?.mode === 'trust' ? new CopyWatch(this) : undefined
    this.cache = createCache({
      namespace,
      ...plan.options,
      clock: this.clock,
      random: seededRandom(seed),
      store: { kind: 'simulated', open: context => (this.#link = new Link(world, this, context)) },
    })
    listenTo(this)
  }

  get link(): Link {
    return this.#link as Link
  }

  pause(ms: number, first: 'timers' | 'messages'): void {
    if (this.state !== 'running') return
    this.state = 'paused'
    this.world.note(this.name, () => `PAUSED for ${ms} ms`)
    this.world.scheduler.after(ms, () => {
      if (this.state !== 'paused') return
      this.state = 'running'
      this.pausedMs += ms
      this.world.note(this.name, () => 'RESUMED')
      const due = this.backlog.splice(0)
      const timers = due.filter(event => event.isTimer)
      const messages = due.filter(event => !event.isTimer)
      for (const event of first === 'timers' ? [...timers, ...messages] : [...messages, ...timers]) {
        this.world.scheduler.after(0, () => event.cancelled || event.act(), this)
      }
    })
  }

  kill(): void {
    this.state = 'dead'
    this.backlog.length = 0
    this.world.note(this.name, () => 'KILLED')
  }

  /** It hears that another server answers, which may have forgotten what it acknowledged. */
  serverChanged(): void {
    this.world.coverage.count('server change told')
    this.world.note(this.name, () => '← another server answers')
    this.#doubted = true
  }

  /** The journal says that the store has been told. What else could not be told yet still `waits`. */
  replayed(waiting: number): void {
    const { world } = this
    if (this.#doubted) world.coverage.count('told again after a server change')
    // One whose reply was cut off by a restart says nothing of what is to be told again.
    if (waiting > 0 || !this.link.knowsServer) return
    this.#doubted = false
    world.history.allTold(this.name, world.nextSeq(), world.now)
  }

  began(call: CallRecord): void {
    const id = tableId(call)
    const calls = this.#pending.get(id)
    if (calls === undefined) this.#pending.set(id, new Set([call]))
    else calls.add(call)
  }

  settled(call: CallRecord): void {
    call.settled = true
    this.#pending.get(tableId(call))?.delete(call)
  }

  get unsettled(): CallRecord[] {
    return [...this.#pending.values()].flatMap(calls => [...calls])
  }

  pendingCalls(id: string, kind: CallRecord['kind']): CallRecord[] {
    return [...(this.#pending.get(id) ?? [])].filter(call => call.kind === kind)
  }

  loadsUnderWay(id: string): number {
    return this.#loads.get(id) ?? 0
  }

  countLoads(id: string, change: 1 | -1): void {
    this.#loads.set(id, this.loadsUnderWay(id) + change)
  }
}
