import type { ChildProcess } from 'node:child_process'
import { forkTypeScript, stopChild } from './child-process.ts'
import type { ContenderName } from './contender.ts'
import type { Counts, FromWorker, Share, ShareResult, ToWorker } from './messages.ts'
import { warmUpProduct } from './products.ts'
import { type Arrival, schedule } from './schedule.ts'
import type { Scene } from './scenes.ts'
import { sharedNow } from './shared-clock.ts'

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
    this.#workers = Array.from({ length: workers }, () => new Worker())
  }

  async connect(servers: FleetServers): Promise<void> {
    await this.#each(worker => worker.ask({ kind: 'connect', ...servers }))
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
      const reply = await worker.ask({ kind: 'run', startAt }, counts => {
        latest[index] = counts
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

/** One child: a question at a time, and an end that nobody asked for fails the question. */
class Worker {
  readonly #child: ChildProcess = forkTypeScript('./worker.ts')

  ask(question: ToWorker, onCounts?: (counts: Counts) => void): Promise<FromWorker> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#child.off('message', onMessage)
        this.#child.off('exit', onExit)
      }
      const onMessage = (message: FromWorker): void => {
        if (message.kind === 'tick') return onCounts?.(message.counts)
        settle()
        if (message.kind === 'failed') reject(new Error(`a worker failed: ${message.message}`))
        else resolve(message)
      }
      const onExit = (code: number | null, signal: string | null): void => {
        settle()
        reject(new Error(`a worker ended (${signal ?? code})`))
      }
      this.#child.on('message', onMessage)
      this.#child.on('exit', onExit)
      this.#child.send(question, error => {
        if (error === null) return
        settle()
        reject(error)
      })
    })
  }

  stop(): Promise<void> {
    return stopChild(this.#child)
  }
}
