import type { EntryKey } from '../../src/index.ts'
import { idOf, MemoryServer, type ServerChange } from '../../src/memory/memory-server.ts'
import type { Scheduler } from './scheduler.ts'
import { LossyTables, type Snapshot } from './tables.ts'

export const namespace = 'simulated'

/** Server times stay small enough that they can be added to process times without rounding. */
const epochMs = 1_000_000_000

/** The one store of the fleet, with its own clock. Each command is one atomic step. */
export class SimulatedServer {
  readonly tables: LossyTables = new LossyTables()
  readonly commands: MemoryServer
  up = true
  /** How often it has started: another run id for each. */
  run = 1
  /** Whether its clock was ever set: then nothing is promised that depends on its time. */
  clockStepped = false
  clockSteppedBack = false
  onWake: (key: EntryKey) => void = () => {}
  onChange: (change: ServerChange) => void = () => {}
  readonly #scheduler: Scheduler
  #offsetMs = epochMs
  #snapshot: Snapshot | undefined

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
    this.commands = new MemoryServer(
      this.tables,
      (_namespace, key) => this.onWake(key),
      (_namespace, change) => this.onChange(change),
    )
  }

  get preciseNow(): number {
    return this.#scheduler.now + this.#offsetMs
  }

  /** As scripts see it: whole ms. */
  get now(): number {
    return Math.floor(this.preciseNow)
  }

  stepClock(ms: number): void {
    this.#offsetMs += ms
    this.clockStepped = true
    if (ms < 0) this.clockSteppedBack = true
  }

  snapshot(): void {
    this.#snapshot = this.tables.snapshot()
  }

  /** Comes back with nothing, or with what the last snapshot had. */
  restart(from: 'empty' | 'snapshot'): void {
    this.run++
    this.tables.full = false
    if (from === 'snapshot' && this.#snapshot !== undefined) this.tables.restore(this.#snapshot)
    else this.tables.evictAll()
  }
}

export function tableId(key: EntryKey): string {
  return idOf(namespace, key)
}
