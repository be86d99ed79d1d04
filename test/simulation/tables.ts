import type { Token } from '../../src/index.ts'
import type { Lease, LeaseState } from '../../src/memory/lease-table.ts'
import type { Tables } from '../../src/memory/memory-server.ts'
import type { NamespaceState } from '../../src/memory/namespace-table.ts'

interface StoredValue {
  readonly bytes: Buffer
  readonly expiresAt: number
}

export interface Snapshot {
  readonly values: ReadonlyMap<string, StoredValue>
  readonly leases: ReadonlyMap<string, Lease>
  readonly namespace: Readonly<NamespaceState>
}

/** Entries and leases that can be lost, be full, and come back from a copy. */
export class LossyTables implements Tables {
  full = false
  /** How many values have been written. */
  writes = 0
  onLeaseEnded: (id: string) => void = () => {}
  #values = new Map<string, StoredValue>()
  #leases = new Map<string, Lease>()
  #namespace: NamespaceState = { record: undefined, tags: undefined }

  readonly values: Tables['values'] = {
    get: (id, now) => this.#valueAt(id, now)?.bytes,
    set: (id, bytes, keepMs, now) => {
      if (this.full) return false
      this.writes++
      this.#values.set(id, { bytes: Buffer.from(bytes), expiresAt: now + Math.max(1, Math.ceil(keepMs)) })
      return true
    },
    delete: id => void this.#values.delete(id),
  }

  readonly leases: Tables['leases'] = {
    get: (id, now) => this.#leaseAt(id, now),
    set: (id, state, lifeMs, now) => {
      // As in Redis: acquire may not write to a full server, renew and release may.
      if (this.full && isNewHolder(this.#leases.get(id), state)) return false
      this.#leases.set(id, { state, expiresAt: now + Math.max(1, Math.ceil(lifeMs)) })
      return true
    },
    restate: (id, lease, state) => void this.#leases.set(id, { state, expiresAt: lease.expiresAt }),
    delete: id => {
      const lease = this.#leases.get(id)
      this.#leases.delete(id)
      if (lease?.state.kind === 'held') this.onLeaseEnded(id)
    },
  }

  readonly namespaces: Tables['namespaces'] = { at: () => this.#namespace }

  bytesAt(id: string, now: number): Buffer | undefined {
    return this.#valueAt(id, now)?.bytes
  }

  holderAt(id: string, now: number): Token | undefined {
    const state = this.#leaseAt(id, now)?.state
    return state?.kind === 'held' ? state.token : undefined
  }

  heldAt(now: number): { readonly id: string; readonly lease: Lease }[] {
    return [...this.#leases].filter(([id]) => this.holderAt(id, now) !== undefined).map(([id, lease]) => ({ id, lease }))
  }

  replace(id: string, bytes: Buffer): void {
    const value = this.#values.get(id)
    if (value !== undefined) this.#values.set(id, { bytes, expiresAt: value.expiresAt })
  }

  /** True if there was one. */
  evict(table: 'value' | 'lease', id: string): boolean {
    return (table === 'value' ? this.#values : this.#leases).delete(id)
  }

  /** True if there was one. */
  evictFromNamespace(what: 'record' | 'tags'): boolean {
    const had = this.#namespace[what] !== undefined
    this.#namespace[what] = undefined
    return had
  }

  evictAll(): boolean {
    const some = this.#values.size + this.#leases.size > 0
    this.restore({ values: new Map(), leases: new Map(), namespace: { record: undefined, tags: undefined } })
    return some
  }

  snapshot(): Snapshot {
    const { record, tags } = this.#namespace
    const namespace = { record, tags: tags && new Map(tags) }
    return { values: copyOf(this.#values), leases: new Map(this.#leases), namespace }
  }

  restore({ values, leases, namespace: { record, tags } }: Snapshot): void {
    this.#values = copyOf(values)
    this.#leases = new Map(leases)
    this.#namespace = { record, tags: tags && new Map(tags) }
  }

  /** What stands at one id, in a form that can be compared. */
  digest(id: string, now: number): string {
    const value = this.#valueAt(id, now)
    const lease = this.#leaseAt(id, now)
    return `${value?.expiresAt} ${value?.bytes.toString('latin1')} ${lease?.expiresAt} ${JSON.stringify(lease?.state)}`
  }

  #valueAt(id: string, now: number): StoredValue | undefined {
    const value = this.#values.get(id)
    if (value === undefined || now < value.expiresAt) return value
    this.#values.delete(id)
    return undefined
  }

  #leaseAt(id: string, now: number): Lease | undefined {
    const lease = this.#leases.get(id)
    if (lease === undefined || now < lease.expiresAt) return lease
    this.#leases.delete(id)
    return undefined
  }
}

/** The mark of an expired entry is set in place, so a copy of the map alone would change with it. */
function copyOf(values: ReadonlyMap<string, StoredValue>): Map<string, StoredValue> {
  return new Map([...values].map(([id, { bytes, expiresAt }]) => [id, { bytes: Buffer.from(bytes), expiresAt }]))
}

function isNewHolder(standing: Lease | undefined, state: LeaseState): boolean {
  if (state.kind !== 'held') return false
  return standing?.state.kind !== 'held' || !standing.state.token.equals(state.token)
}
