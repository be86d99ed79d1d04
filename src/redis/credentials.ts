import type { Cluster, Redis } from 'ioredis'
import type { StoreError } from '../core/errors.ts'
import type { Clock, Timer } from '../core/ports.ts'
import { unreachable } from './failures.ts'

/** What a connection logs in with. */
export interface Credentials {
  /** Left out: Redis's user `default`. */
  readonly username?: string | undefined
  readonly password: string
}

/** Then Redis counts as unreachable, while the answer is still waited for. */
const patienceMs = 1_500
/** Then the function is called anew. */
const answerWithinMs = 30_000

/** Asks the application what to log in with. Connections that ask at the same moment share its answer. */
export class CredentialSource {
  readonly #ask: () => Credentials | Promise<Credentials>
  readonly #clock: Clock
  #asking: Promise<Credentials> | undefined
  #latest: Credentials | undefined

  constructor(ask: () => Credentials | Promise<Credentials>, clock: Clock) {
    this.#ask = ask
    this.#clock = clock
  }

  /** What it answered last. */
  get latest(): Credentials | undefined {
    return this.#latest
  }

  /** @throws StoreError that repeats neither the answer nor the error of the function, which may hold a secret */
  current(): Promise<Credentials> {
    this.#asking ??= this.#answer().finally(() => (this.#asking = undefined))
    return this.#asking
  }

  async #answer(): Promise<Credentials> {
    let timer: Timer | undefined
    const late = new Promise<never>((_, reject) => {
      timer = this.#clock.setTimeout(() => reject(unanswered(answerWithinMs)), answerWithinMs)
      this.#clock.unref(timer)
    })
    const answer = await Promise.race([this.#asked(), late]).finally(() => timer !== undefined && this.#clock.clearTimeout(timer))
    const { username, password } = Object(answer) as Partial<Record<keyof Credentials, unknown>>
    if (typeof password !== 'string' || password === '') throw unreachable('credentials() gave no password')
    if (username !== undefined && typeof username !== 'string') throw unreachable('credentials() gave a username that is no text')
    this.#latest = { username, password }
    return this.#latest
  }

  async #asked(): Promise<unknown> {
    try {
      return await this.#ask()
    } catch (error) {
      const name = error instanceof Error && /^\w{1,40}$/.test(error.name) ? ` (${error.name})` : ''
      throw unreachable(`credentials() failed${name}`)
    }
  }
}

export interface Asking {
  readonly clock: Clock
  /** Told why there are no credentials. */
  readonly onFault: (fault: StoreError) => void
  /** After how many ms to ask again. */
  readonly retryMs: () => number
  /** Whether nobody wants the connection any more. */
  readonly closed: () => boolean
}

/** From now on each attempt of the client to connect, its own attempts included, asks for the credentials first. */
export function logInBeforeConnecting(redis: Redis, source: CredentialSource, asking: Asking): void {
  askBeforeConnecting(redis, source, asking, () => logIn(redis, source))
}

/** The same for a cluster client, whose clients of single servers connect when it asks them who has which slot. */
export function logClusterIn(cluster: Cluster, source: CredentialSource, asking: Asking): void {
  const logAllIn = (): void => {
    for (const redis of cluster.nodes('all')) logIn(redis, source)
  }
  askBeforeConnecting(cluster, source, asking, logAllIn)
  cluster.on('+node', (redis: Redis) => logIn(redis, source))
  const refresh = cluster.refreshSlotsCache.bind(cluster)
  cluster.refreshSlotsCache = callback => {
    // Where none are to be had, or not soon, the last ones may still do.
    const goOn = (): void => {
      logAllIn()
      refresh(callback)
    }
    const soon = new Promise<void>(resolve => asking.clock.unref(asking.clock.setTimeout(resolve, patienceMs)))
    Promise.race([source.current(), soon]).then(goOn, goOn)
  }
}

function askBeforeConnecting(
  client: Redis | Cluster,
  source: CredentialSource,
  { clock, onFault, retryMs, closed }: Asking,
  apply: () => void,
): void {
  const connect: () => Promise<void> = client.connect.bind(client)
  let asking: Promise<boolean> | undefined
  const withPatience = async (answer: Promise<unknown>): Promise<void> => {
    const timer = clock.setTimeout(() => closed() || onFault(unanswered(patienceMs)), patienceMs)
    clock.unref(timer)
    try {
      await answer
    } finally {
      clock.clearTimeout(timer)
    }
  }
  const ask = async (): Promise<boolean> => {
    while (!closed()) {
      try {
        await withPatience(source.current())
        apply()
        return !closed()
      } catch (error) {
        if (closed()) return false
        onFault(error as StoreError)
        await new Promise<void>(resolve => clock.unref(clock.setTimeout(resolve, retryMs())))
      }
    }
    return false
  }
  client.connect = async () => {
    asking ??= ask().finally(() => (asking = undefined))
    if (await asking) await connect()
  }
}

function unanswered(ms: number): StoreError {
  return unreachable(`credentials() has not answered within ${ms} ms`)
}

function logIn({ options }: Redis, { latest }: CredentialSource): void {
  if (latest !== undefined) Object.assign(options, { username: latest.username, password: latest.password })
}
