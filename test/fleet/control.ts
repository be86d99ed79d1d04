import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'

const lockMs = 10_000
const ttlMs = 60_000

/** What one would write by hand: a single flight in the process, a lock in Redis, and a message when the value is there. */
export class Control {
  readonly #namespace: string
  readonly #redis: Redis
  readonly #bus: Redis
  readonly #flights = new Map<string, Promise<string | undefined>>()
  readonly #waiting = new Map<string, () => void>()

  constructor(redisUrl: string, namespace: string) {
    this.#namespace = namespace
    this.#redis = new Redis(redisUrl)
    this.#bus = new Redis(redisUrl)
    this.#bus.on('message', (_channel, key) => this.#waiting.get(key)?.())
  }

  async ready(): Promise<void> {
    await this.#bus.subscribe(`${this.#namespace}:done`)
    await this.#redis.ping()
  }

  getOrSet(key: string, load: () => Promise<string | undefined>): Promise<string | undefined> {
    let flight = this.#flights.get(key)
    if (flight === undefined) {
      flight = this.#fly(key, load).finally(() => this.#flights.delete(key))
      this.#flights.set(key, flight)
    }
    return flight
  }

  async delete(keys: readonly string[]): Promise<void> {
    await this.#redis.del(...keys.map(key => `${this.#namespace}:${key}`))
  }

  async close(): Promise<void> {
    await Promise.all([this.#redis.quit(), this.#bus.quit()])
  }

  async #fly(key: string, load: () => Promise<string | undefined>): Promise<string | undefined> {
    const valueKey = `${this.#namespace}:${key}`
    for (;;) {
      const stored = await this.#redis.get(valueKey)
      if (stored !== null) return stored
      const woken = new Promise<void>(resolve => this.#waiting.set(key, resolve))
      if ((await this.#redis.set(`${valueKey}:lock`, randomBytes(8).toString('hex'), 'PX', lockMs, 'NX')) === 'OK') {
        const value = await load()
        if (value !== undefined) await this.#redis.set(valueKey, value, 'PX', ttlMs)
        await this.#redis.multi().del(`${valueKey}:lock`).publish(`${this.#namespace}:done`, key).exec()
        return value
      }
      await Promise.race([woken, new Promise(resolve => setTimeout(resolve, lockMs).unref())])
    }
  }
}
