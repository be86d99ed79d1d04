import { setTimeout as passed } from 'node:timers/promises'
import { createCache, type Cache } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { Control } from './control.ts'
import { EventTally } from './event-tally.ts'
import type { Gates } from './gates.ts'
import { sharedNowMs, type Answer, type Commands, type LoaderPlan, type LoadNotice, type MemberCallOptions } from './messages.ts'

const openDeadlineMs = 15_000

/** One cache of a member: Leasehold, or the control in its place. */
export class WorkerCache {
  /** What loaders find. */
  source = 'source-0'
  readonly #namespace: string
  readonly #gates: Gates
  readonly #notify: (notice: LoadNotice) => void
  readonly #cache: Cache | undefined
  readonly #control: Control | undefined
  readonly #tally: EventTally | undefined

  constructor(request: Commands['open']['request'], gates: Gates, notify: (notice: LoadNotice) => void) {
    const { namespace, redisUrl, subject, breaker, options } = request
    this.#namespace = namespace
    this.#gates = gates
    this.#notify = notify
    if (subject === 'control') {
      this.#control = new Control(redisUrl, namespace)
      return
    }
    this.#cache = createCache({ ...options, namespace, store: redisStore(redisUrl, breaker ? {} : { breaker: false }) })
    this.#tally = new EventTally(this.#cache)
  }

  async ready(): Promise<void> {
    if (this.#control !== undefined) return this.#control.ready()
    const deadline = performance.now() + openDeadlineMs
    while ((this.#tally?.standing.size ?? 0) < 2) {
      if (performance.now() > deadline) throw new Error(`only ${[...(this.#tally?.standing ?? [])].join()} came up in time`)
      await passed(5)
    }
  }

  async read({ keys, times, loader, options }: Commands['read']['request']): Promise<Answer[]> {
    const calls: Promise<Answer>[] = []
    for (const key of keys) for (let time = 0; time < times; time++) calls.push(this.#call(key, loader, options))
    return Promise.all(calls)
  }

  async traffic({ key, loader, options, everyMs, calls, startInMs }: Commands['traffic']['request']): Promise<Answer[]> {
    const answers: Promise<Answer>[] = []
    const startAt = performance.now() + startInMs
    for (let call = 0; call < calls; call++) {
      const dueInMs = startAt + call * everyMs - performance.now()
      if (dueInMs > 0) await passed(dueInMs)
      answers.push(this.#call(key, loader, options))
    }
    return Promise.all(answers)
  }

  async readMany({ keys, takesMs }: Commands['readMany']['request']): Promise<Commands['readMany']['reply']> {
    const loads: number[] = []
    const values = await this.#leasehold.getOrSetMany(keys, async missing => {
      loads.push(missing.length)
      return (await Promise.all(missing.map(key => this.#load(key, { takesMs })))) as string[]
    })
    return { values, loads }
  }

  get(keys: readonly string[]): Promise<(string | null)[]> {
    return Promise.all(keys.map(async key => (await this.#leasehold.get<string>(key)) ?? null))
  }

  async set(keys: readonly string[], value: string): Promise<void> {
    await Promise.all(keys.map(key => this.#leasehold.set(key, value)))
  }

  async delete(keys: readonly string[]): Promise<void> {
    await (this.#control ?? this.#leasehold).delete(keys)
  }

  async expire(keys: readonly string[]): Promise<void> {
    await Promise.all(keys.map(key => this.#leasehold.expire(key)))
  }

  async remember(key: string): Promise<void> {
    const deadline = performance.now() + openDeadlineMs
    while (this.#leasehold.peek(key) === undefined) {
      if (performance.now() > deadline) throw new Error('the local tier keeps no copy')
      await this.#leasehold.getOrSet(key, () => this.source)
      await passed(1)
    }
  }

  async untilForgotten(key: string): Promise<number> {
    const deadline = performance.now() + openDeadlineMs
    while (this.#leasehold.peek(key) !== undefined) {
      if (performance.now() > deadline) throw new Error('the local tier keeps its copy')
      // Not in a tight loop: several of these share a processor with what they watch.
      await passed(1)
    }
    return sharedNowMs()
  }

  takeRecords(): Record<string, number> {
    return this.#tally?.take() ?? {}
  }

  async close(): Promise<void> {
    await (this.#control ?? this.#leasehold).close()
  }

  get #leasehold(): Cache {
    if (this.#cache === undefined) throw new Error('the control cannot do that')
    return this.#cache
  }

  async #call(key: string, plan: LoaderPlan, options: MemberCallOptions | undefined): Promise<Answer> {
    const load = (): Promise<string | undefined> => this.#load(key, plan)
    const startedAt = sharedNowMs()
    try {
      const value = await (this.#control?.getOrSet(key, load) ?? this.#leasehold.getOrSet(key, load, options))
      return { ...(value === undefined ? {} : { value }), startedAt, endedAt: sharedNowMs() }
    } catch (error) {
      return { error: nameOf(error), startedAt, endedAt: sharedNowMs() }
    }
  }

  async #load(key: string, { takesMs = 0, gate, ends = 'value' }: LoaderPlan): Promise<string | undefined> {
    const found = this.source
    this.#notify({ kind: 'load-began', namespace: this.#namespace, key, at: sharedNowMs() })
    if (gate !== undefined) await this.#gates.pass(gate)
    if (takesMs > 0) await passed(takesMs)
    this.#notify({ kind: 'load-ended', namespace: this.#namespace, key, at: sharedNowMs() })
    if (ends === 'error') throw new Error('the source failed')
    if (ends === 'throw-undefined') throw undefined
    return ends === 'nothing' ? undefined : found
  }
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}
