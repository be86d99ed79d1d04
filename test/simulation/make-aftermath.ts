import type { Room } from './make-plan.ts'
import type { GetOrSetOp, LoaderPlan, Op, PlainOp, SetOp, TagsOp, TimedFault } from './plan.ts'

type Base = Omit<PlainOp, 'kind'>

const tag = 't0'
const storedMs = 1500
const looks = 8
/** By when, after the server is back, most processes know that it is another. */
const knownMs = 45

/**
 * What a restart from an older snapshot undoes, and who looks at it at once: the process that has revoked a value has its revocation acknowledged, and asks again when
 * it has reached the server and has yet to hear what it has reached.
 */
export function makeAftermath(room: Room, faults: readonly TimedFault[], firstId: number): Op[] {
  const { dice, keys, versions, processes } = room
  const snapshot = faults.find(({ kind }) => kind === 'snapshot')
  const restart = faults.find(fault => fault.kind === 'restart')
  if (snapshot === undefined || restart === undefined || !('downMs' in restart)) return []
  const ops: Op[] = []
  const process = dice.whole(0, processes - 1)
  const other = (process + 1) % processes
  const spot = { key: dice.pick(keys), version: dice.pick(versions) }
  const base = (at: number, by: number): Base => ({ id: firstId + ops.length, at: Math.max(0, at), process: by, ...spot })
  const load = (at: number, by: number, takesMs: number): void => void ops.push(loadOp(base(at, by), takesMs))
  load(snapshot.at - dice.between(20, 120), other, 1)
  const revokedAt = dice.between(snapshot.at, restart.at)
  ops.push(
    revocation(base(revokedAt, process), dice.pick(['delete', 'delete', 'set', 'expire', 'invalidateTags', 'clear'] as const)),
  )
  if (dice.chance(0.5)) {
    // One asks for a key that another is loading, just before the server goes.
    load(dice.between(revokedAt, restart.at), other, 700)
    load(restart.at - 1, process, 10)
  }
  const backAt = restart.at + restart.downMs
  if (dice.chance(0.4)) {
    // Who joined a load that fails then looks for what may stand in, unread so far.
    const at = Math.max(revokedAt + 20, restart.at - 20)
    for (const nth of [0, 1]) {
      const call = loadOp(base(at + nth * 4, process), backAt + dice.between(0, knownMs) - at)
      ops.push({ ...call, loader: { ...call.loader, kind: 'fails' } })
    }
  }
  for (let left = looks; left > 0; left--) {
    const look = base(backAt + dice.between(0, knownMs), process)
    const kind = dice.pick(['get', 'getMany', 'getEntry', 'has', 'getOrSet'] as const)
    ops.push(kind === 'getOrSet' ? loadOp(look, 10) : { ...look, kind })
  }
  for (let by = 0; by < processes; by++) ops.push({ ...base(backAt + dice.between(100, 400), by), kind: 'get' })
  return ops
}

function loadOp(base: Base, takesMs: number): GetOrSetOp {
  const options = { ttl: storedMs, tags: [tag], staleIfError: storedMs }
  return { ...base, kind: 'getOrSet', options, abortAfterMs: undefined, loader: plainLoader(base.key, takesMs) }
}

function revocation(base: Base, kind: 'delete' | 'set' | 'expire' | 'invalidateTags' | 'clear'): Op {
  switch (kind) {
    case 'set':
      return { ...base, kind, options: { ttl: 60 }, tooLarge: false } satisfies SetOp
    case 'invalidateTags':
      return { ...base, kind, key: '', tags: [tag] } satisfies TagsOp
    case 'clear':
      return { ...base, kind, key: '' }
    case 'delete':
    case 'expire':
      return { ...base, kind }
  }
}

/** Loads a value, and nothing special happens. */
function plainLoader(key: string, takesMs: number): LoaderPlan {
  return { kind: 'value', takesMs, readsAt: 0, ignoresSignal: true, ttlMs: 0, addsTags: [], asks: key }
}
