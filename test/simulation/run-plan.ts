import type { Coverage } from './coverage.ts'
import { befall } from './faults.ts'
import type { Plan } from './plan.ts'
import { SimulatedProcess } from './process.ts'
import type { Timeline } from './timeline.ts'
import { show } from './timeline.ts'
import { World, type Violation } from './world.ts'
import { close, perform } from './workload.ts'

export interface RunResult {
  readonly violation: Violation | undefined
  readonly deliveries: number
  /** Messages that met with something. */
  readonly spoiled: readonly string[]
  readonly hash: number
}

/** Far beyond every deadline: what has not settled by then never will. */
const patienceMs = 15_000

/** The run under way in this thread: runs happen one after the other. */
let current: World | undefined

process.on('unhandledRejection', onUnhandled)

function onUnhandled(reason: unknown): void {
  current?.violate('I10', `unhandled rejection: ${show(reason)}`)
}

/** Plays one plan from its beginning until everything has settled and every cache is closed. */
export async function runPlan(plan: Plan, coverage: Coverage, timeline?: Timeline): Promise<RunResult> {
  const world = new World(plan, coverage, timeline)
  current = world
  // Nobody reads the stacks of errors that are part of the plan, and they are expensive.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  const { scheduler, server } = world
  const places = plan.processes.map((_, place) => new Place(world, place))
  server.onWake = key => {
    for (const process of world.processes) if (process.state !== 'dead') process.link.bus.wake(key)
  }
  server.onChange = change => world.changes.announce(change)
  server.tables.onLeaseEnded = id => {
    for (const process of world.processes) process.waiting.leaseEnded(id)
  }
  for (const op of plan.ops) {
    scheduler.after(op.at, () => {
      // The callers of a process that is gone turn to the others.
      const process = places[op.process]?.standing ?? places.find(place => place.standing !== undefined)?.standing
      if (process !== undefined) scheduler.after(0, () => perform(process, op), process)
    })
  }
  const fleet = { world, standing: (place: number) => places[place]?.standing, replace: (place: number) => places[place]?.fill() }
  for (const fault of plan.faults) scheduler.after(fault.at, () => befall(fleet, fault))

  const begun = endOf(plan)
  const live = (): SimulatedProcess[] => world.processes.filter(process => process.state !== 'dead')
  const broken = (): boolean => world.violation !== undefined
  const settled = (): boolean => live().every(process => process.state === 'running' && process.unsettled.length === 0)
  await scheduler.run(() => broken() || (world.now > begun && settled()), begun + patienceMs)
  if (!broken()) checkSettled(world, live())
  const open = live().filter(process => !process.closing)
  for (const process of open) scheduler.after(0, () => close(process), process)
  const closed = (): boolean => live().every(process => process.closed)
  await scheduler.run(() => broken() || closed(), world.now + patienceMs)
  if (!broken()) checkClosed(world, live())
  world.end()
  // Lets loaders that were called off leave the engine.
  await new Promise(resolve => setImmediate(resolve))
  coverage.count('deliveries', world.deliveries)
  current = undefined
  Error.stackTraceLimit = stackTraceLimit
  return { violation: world.violation, deliveries: world.deliveries, spoiled: world.spoiled, hash: world.hash }
}

/** A process's place in the fleet: when it is gone, another may take it. */
class Place {
  readonly #world: World
  readonly #place: number
  #process: SimulatedProcess
  #generation = 1

  constructor(world: World, place: number) {
    this.#world = world
    this.#place = place
    this.#process = this.#start()
  }

  get standing(): SimulatedProcess | undefined {
    return this.#process.state === 'dead' || this.#process.closing ? undefined : this.#process
  }

  fill(): void {
    if (this.standing !== undefined) return
    this.#generation++
    this.#process = this.#start()
  }

  #start(): SimulatedProcess {
    const world = this.#world
    const name = `p${this.#place + 1}${this.#generation === 1 ? '' : `.${this.#generation}`}`
    const process = new SimulatedProcess(world, name, world.plan.processes[this.#place] as Plan['processes'][number])
    world.processes.push(process)
    if (!world.server.up) process.link.disconnect()
    return process
  }
}

/** When the last operation, fault or resumption is behind us. */
function endOf({ ops, faults }: Plan): number {
  const ends = faults.map(
    fault => fault.at + ('ms' in fault ? Math.max(0, fault.ms) : 'downMs' in fault ? fault.downMs : 0) + 450,
  )
  return Math.max(0, ...ops.map(op => op.at), ...ends)
}

function checkSettled(world: World, live: readonly SimulatedProcess[]): void {
  for (const process of live) {
    for (const call of process.unsettled) {
      return world.violate('P6', `call ${call.nth} (${call.kind} of ${call.key}) of ${process.name} never settles`)
    }
  }
}

function checkClosed(world: World, live: readonly SimulatedProcess[]): void {
  const { tables, now } = world.server
  for (const process of live) {
    if (!process.closed) return world.violate('P6', `close of ${process.name} never settles`)
    if (process.clock.pendingTimers > 0) return world.violate('close', `${process.name} was closed and still has timers`)
  }
  for (const { id, lease } of tables.heldAt(now)) {
    if (world.plan.calm) return world.violate('close', `every cache is closed and the lease of ${id} is still held`)
    // A process that was stalled may have asked for more than the options say: ten times as much at most.
    const mostMs = world.longest.leaseMs * (Math.max(...world.processes.map(each => each.pausedMs)) > 0 ? 10 : 1)
    if (!world.server.clockSteppedBack && lease.expiresAt - now > mostMs) {
      return world.violate('close', `the lease of ${id} is held for another ${lease.expiresAt - now} ms`)
    }
  }
}
