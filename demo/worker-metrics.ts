import { Redis } from 'ioredis'
import { Registry } from 'prom-client'
import type { Cache } from '../src/index.ts'
import { collectCacheMetrics, collectRedisMetrics, startMetricsServer } from '../src/observe/prometheus/index.ts'

/** The scenes' caches follow one another under one name. */
const cacheName = 'demo'

/** What one worker tells a Prometheus, until its process ends. */
export class WorkerMetrics {
  readonly #registry = new Registry()

  /** @throws the error of `listen` when the port is taken */
  async serve(port: number): Promise<string> {
    const { url } = await startMetricsServer({ port, registry: this.#registry })
    return url
  }

  watchRedis(redisUrl: string): void {
    const client = new Redis(redisUrl)
    client.on('error', () => {})
    collectRedisMetrics(client, { registry: this.#registry })
  }

  /** Its series are gone when it is closed. */
  watchCache(cache: Cache): void {
    collectCacheMetrics(cache, { registry: this.#registry, name: cacheName })
  }
}
