import { AskedChild } from './asked-child.ts'
import type { ContenderName } from './contender.ts'
import type { Counts, FromWorker, Share, ShareResult, ToWorker } from './messages.ts'
import { warmUpProduct } from './products.ts'
import { type Arrival, schedule } from './schedule.ts'
import type { Scene } from './scenes.ts'
import { sharedNow } from './shared-clock.ts'

type Worker = AskedChild<ToWorker, FromWorker>

const workerFile = new URL('worker.ts', import.meta.url)
const seed = 2026
/** Long enough for the order to start to reach every worker before it falls due. */
const startDelayMs = 100

export interface FleetServers {
  readonly databaseUrl: string
  readonly schema: string
  readonly redisUrl: string | undefined
}

/** Every call of a scene, the same each time it is played. */
export function arrivalsOf(scene: Scene): Arrival[] {
  return schedule(scene.load, seed)
}

/** The worker processes, told what to do in step. */
export class Fleet {
  readonly #workers: readonly Worker[]

  constructor(workers: number) {
    this.#workers = Array.from({ length: workers }, () => new AskedChild(workerFile))
  }

  async connect(servers: FleetServers): Promise<void> {
    await this.#each(worker => worker.ask({ kind: 'connect', ...servers }))
  }

  /** Where each worker serves its metrics: on `port` and those after it, or on any free ones if it is 0. */
  serveMetrics(port: number): Promise<string[]> {
    return this.#each(async (worker, index) => {
      const own = port === 0 ? 0 : port + index
      const reply = await worker.ask({ kind: 'serve metrics', port: own, ofRedis: index === 0 })
      if (reply.kind !== 'serving metrics') throw new Error(`expected the address of metrics, not ${reply.kind}`)
      return reply.url
    })
  }

  /** One scene for one contender. The same scene gives every contender the same calls at the same moments. */
  async play(scene: Scene, contender: ContenderName, onCounts: (counts: Counts) => void): Promise<ShareResult[]> {
    const namespace = `demo-${process.pid}-${scene.name.replaceAll(' ', '-')}-${contender}`
    const arrivals = arrivalsOf(scene)
    const { length } = this.#workers
    await this.#each((worker, index) => {
      const share: Share = {
        arrivals: arrivals.filter((_, arrival) => arrival % length === index),
        edits: scene.edits.filter((_, edit) => edit % length === index),
      }
      return worker.ask({ kind: 'open', contender, namespace, scene, share })
    })
    await this.#workers[0]?.ask({ kind: 'warm', products: scene.warm })
    const latest: Counts[] = []
    const startAt = sharedNow() + startDelayMs
    const results = await this.#each(async (worker, index) => {
      const reply = await worker.ask({ kind: 'run', startAt }, message => {
        if (message.kind !== 'tick') return
        latest[index] = message.counts
        if (index === 0) onCounts(latest.reduce(addCounts, noCounts))
      })
      if (reply.kind !== 'result') throw new Error(`expected a result, not ${reply.kind}`)
      return reply.result
    })
    const touched = [warmUpProduct, ...Array.from({ length: scene.load.products }, (_, index) => index + 1)]
    await this.#each((worker, index) => worker.ask({ kind: 'close', products: index === 0 ? touched : [] }))
    return results
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map(worker => worker.stop()))
  }

  #each<T>(does: (worker: Worker, index: number) => Promise<T>): Promise<T[]> {
    return Promise.all(this.#workers.map(does))
  }
}

const noCounts: Counts = { requests: 0, answered: 0, queries: 0 }

function addCounts(a: Counts, b: Counts): Counts {
  return { requests: a.requests + b.requests, answered: a.answered + b.answered, queries: a.queries + b.queries }
}
