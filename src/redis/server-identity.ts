import type { Redis } from 'ioredis'

/** Notices when another server answers where one is expected, or the same after a restart or without its role: it may lack what the first had acknowledged. */
export class ServerIdentity {
  readonly #onChange: () => void
  #met = false
  #runId: string | undefined

  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  /** Told before a new connection is used. One that does not say who it is counts as another server. */
  meet(runId: string | undefined): void {
    const changed = this.#met && (runId === undefined || runId !== this.#runId)
    this.#met = true
    this.#runId = runId
    if (changed) this.#onChange()
  }

  /** It is no primary any more. Even if it becomes one again, it has taken over the data of another meanwhile. */
  loseRole(): void {
    if (!this.#met) return
    this.#met = false
    this.#onChange()
  }
}

/** Who a server is, new with each of its starts. Undefined where it may not be asked. */
export async function runIdOf(redis: Redis): Promise<string | undefined> {
  try {
    return /^run_id:(\w+)/m.exec(String(await redis.call('INFO', 'server')))?.[1]
  } catch {
    return undefined
  }
}
