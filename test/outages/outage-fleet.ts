import { fileURLToPath } from 'node:url'
import { Child } from '../fleet/child.ts'
import type { Operation } from '../histories/operation.ts'
import { ownNamespace } from '../shared-redis.ts'
import type { Commands, Load, RedisOfRow, Seen } from './messages.ts'

type Worker = Child<Commands>
const script = fileURLToPath(new URL('worker.ts', import.meta.url))

/** Processes that call a cache at a steady pace while something goes wrong with its Redis. */
export class OutageFleet implements AsyncDisposable {
  readonly workers: readonly Worker[]
  readonly namespace: string

  private constructor(workers: readonly Worker[], namespace: string) {
    this.workers = workers
    this.namespace = namespace
  }

  /** One process for each of `targets`, all in one namespace. */
  static async start(targets: readonly RedisOfRow[], options: Commands['open']['request']['options'] = {}): Promise<OutageFleet> {
    const namespace = ownNamespace()
    const workers = await Promise.all(targets.map((_, place) => Child.start<Commands>({ name: `process ${place + 1}`, script })))
    const fleet = new OutageFleet(workers, namespace)
    await Promise.all(
      workers.map((worker, place) =>
        worker.ask('open', { namespace, process: place + 1, redis: targets[place] as RedisOfRow, options }),
      ),
    )
    return fleet
  }

  /** Each process takes its share of it. */
  async load({ changing, ...load }: Load): Promise<void> {
    const share = (perSecond: number): number => perSecond / this.workers.length
    const request: Load = { ...load, perSecond: share(load.perSecond) }
    const shared =
      changing === undefined
        ? request
        : {
            ...request,
            changing: {
              keys: changing.keys,
              readsPerSecond: share(changing.readsPerSecond),
              deletesPerSecond: share(changing.deletesPerSecond),
            },
          }
    await Promise.all(this.workers.map(worker => worker.ask('start', shared)))
  }

  /** What was answered for changing keys since the last time. */
  async recorded(): Promise<Operation[]> {
    return (await Promise.all(this.workers.map(worker => worker.ask('recorded', undefined)))).flat()
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
