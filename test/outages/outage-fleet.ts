import { fileURLToPath } from 'node:url'
import { Child } from '../fleet/child.ts'
import { ownNamespace } from '../shared-redis.ts'
import type { Commands, Load, Seen } from './messages.ts'

type Worker = Child<Commands>
const script = fileURLToPath(new URL('worker.ts', import.meta.url))

/** Processes that call a cache at a steady pace while something goes wrong with its Redis. */
export class OutageFleet implements AsyncDisposable {
  readonly workers: readonly Worker[]

  private constructor(workers: readonly Worker[]) {
    this.workers = workers
  }

  /** One process for each of `targets`, all in one namespace. */
  static async start(
    targets: readonly Commands['open']['request']['redis'][],
    options: Commands['open']['request']['options'] = {},
  ): Promise<OutageFleet> {
    const namespace = ownNamespace()
    const workers = await Promise.all(targets.map((_, place) => Child.start<Commands>({ name: `process ${place + 1}`, script })))
    const fleet = new OutageFleet(workers)
    await Promise.all(workers.map((worker, place) => worker.ask('open', { namespace, redis: targets[place]!, options })))
    return fleet
  }

  async load(load: Load): Promise<void> {
    const perSecond = load.perSecond / this.workers.length
    await Promise.all(this.workers.map(worker => worker.ask('start', { ...load, perSecond })))
  }

  async stop(): Promise<void> {
    await Promise.all(this.workers.map(worker => worker.ask('stop', undefined)))
  }

  take(since?: number): Promise<Seen[]> {
    return Promise.all(this.workers.map(worker => worker.ask('take', { since })))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.workers.map(worker => worker.kill()))
  }
}
