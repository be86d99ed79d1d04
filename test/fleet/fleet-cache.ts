import type { Member } from './member.ts'
import type { Answer, Commands, LoaderPlan, LoadNotice, MemberCallOptions } from './messages.ts'
import { until } from './until.ts'

export interface Load {
  readonly member: Member
  readonly key: string
  readonly beganAt: number
  endedAt: number | undefined
}

/** One cache of a fleet: the same namespace, opened in several processes. */
export class FleetCache {
  readonly namespace: string
  readonly members: readonly Member[]
  /** Every loader that ran, in the order in which it was heard of. */
  readonly loads: Load[] = []

  constructor(namespace: string, members: readonly Member[]) {
    this.namespace = namespace
    this.members = members
  }

  noteLoad(member: Member, { kind, key, at }: LoadNotice): void {
    if (kind === 'load-began') {
      this.loads.push({ member, key, beganAt: at, endedAt: undefined })
      return
    }
    const load = this.loads.find(each => each.member === member && each.key === key && each.endedAt === undefined)
    if (load !== undefined) load.endedAt = at
  }

  loadsOf(...keys: readonly string[]): readonly Load[] {
    return this.loads.filter(load => keys.includes(load.key))
  }

  /** Resolves when that many loaders of `keys` have begun. */
  async untilLoads(keys: readonly string[], count: number): Promise<readonly Load[]> {
    await until(() => this.loadsOf(...keys).length >= count, `${count} loads to begin`)
    return this.loadsOf(...keys)
  }

  /** `getOrSet` in one member, for each key `times` times at once. */
  read(member: Member, keys: string | readonly string[], loader: LoaderPlan, calls: Calls = {}): Promise<readonly Answer[]> {
    const { times = 1, options } = calls
    return member.ask('read', {
      namespace: this.namespace,
      keys: listOf(keys),
      times,
      loader,
      ...(options === undefined ? {} : { options }),
    })
  }

  /** The same in all members at once. */
  async readEverywhere(keys: string | readonly string[], loader: LoaderPlan, calls: Calls = {}): Promise<readonly Answer[]> {
    return (await Promise.all(this.members.map(member => this.read(member, keys, loader, calls)))).flat()
  }

  /** `perSecond` calls in all, spread evenly over the members and over time. */
  async traffic(key: string, loader: LoaderPlan, { perSecond, forMs, options }: Traffic): Promise<readonly Answer[]> {
    const { members, namespace } = this
    const everyMs = (members.length * 1000) / perSecond
    const calls = Math.ceil(forMs / everyMs)
    const each = { namespace, key, loader, everyMs, calls, ...(options === undefined ? {} : { options }) }
    const answers = members.map((member, index) =>
      member.ask('traffic', { ...each, startInMs: (index * everyMs) / members.length }),
    )
    return (await Promise.all(answers)).flat()
  }

  /** `getOrSetMany` in one member. */
  readMany(member: Member, keys: readonly string[], takesMs: number): Promise<Commands['readMany']['reply']> {
    return member.ask('readMany', { namespace: this.namespace, keys, takesMs })
  }

  get(member: Member, keys: string | readonly string[]): Promise<readonly (string | null)[]> {
    return member.ask('get', { namespace: this.namespace, keys: listOf(keys) })
  }

  set(member: Member, keys: string | readonly string[], value: string): Promise<void> {
    return member.ask('set', { namespace: this.namespace, keys: listOf(keys), value })
  }

  delete(member: Member, keys: string | readonly string[]): Promise<void> {
    return member.ask('delete', { namespace: this.namespace, keys: listOf(keys) })
  }

  expire(member: Member, keys: string | readonly string[]): Promise<void> {
    return member.ask('expire', { namespace: this.namespace, keys: listOf(keys) })
  }

  /** Every member reads the key until its copy stands in the local tier. */
  async rememberEverywhere(key: string): Promise<void> {
    await Promise.all(this.members.map(member => member.ask('remember', { namespace: this.namespace, key })))
  }

  /** When the key's copy was gone from the local tier of each member, on the clock that all processes share. */
  forgottenAt(key: string): readonly Promise<number>[] {
    return this.members.map(member => member.ask('untilForgotten', { namespace: this.namespace, key }))
  }

  /** What the source holds from now on, seen from every member. */
  async setSource(value: string): Promise<void> {
    await Promise.all(this.members.map(member => member.ask('source', { namespace: this.namespace, value })))
  }

  /** The members' status records since the last time, added up. */
  async records(): Promise<Readonly<Record<string, number>>> {
    const sums: Record<string, number> = {}
    const alive = this.members.filter(member => member.alive)
    for (const records of await Promise.all(alive.map(member => member.ask('records', { namespace: this.namespace })))) {
      for (const [name, count] of Object.entries(records)) sums[name] = (sums[name] ?? 0) + count
    }
    return sums
  }

  async close(): Promise<void> {
    const alive = this.members.filter(member => member.alive)
    await Promise.all(alive.map(member => member.ask('close', { namespace: this.namespace })))
  }
}

interface Calls {
  readonly times?: number
  readonly options?: MemberCallOptions
}

interface Traffic {
  readonly perSecond: number
  readonly forMs: number
  readonly options?: MemberCallOptions
}

function listOf(keys: string | readonly string[]): readonly string[] {
  return typeof keys === 'string' ? [keys] : keys
}

/** How often each value, or error in brackets, was the answer. */
export function tally(answers: readonly Answer[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { value, error } of answers) {
    const name = error === undefined ? (value ?? '(nothing)') : `(${error})`
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}
