import type { Room } from './make-plan.ts'
import type { Damage, TimedFault } from './plan.ts'

const weights: Readonly<Record<TimedFault['kind'], number>> = {
  pause: 16,
  kill: 9,
  close: 3,
  'bus-down': 8,
  'bus-silent': 0,
  disconnect: 8,
  stuck: 6,
  'evict-value': 9,
  'evict-lease': 9,
  'evict-all': 2,
  'evict-record': 4,
  'evict-tags': 6,
  full: 6,
  snapshot: 0,
  restart: 6,
  'clock-step': 4,
  corrupt: 9,
}

/** From none to five faults; a restart from a snapshot brings the snapshot along. */
export function makeFaults(room: Room): TimedFault[] {
  const { dice, copies } = room
  const faults: TimedFault[] = copies === 'long' ? [makeSilence(room)] : []
  for (let left = dice.whole(0, 5); left > 0; left--) {
    const fault = makeFault(room)
    // While the store is down little happens: once is enough.
    const again = fault.some(each => each.kind === 'restart') && faults.some(each => each.kind === 'restart')
    if (!again) faults.push(...fault)
  }
  return faults.toSorted((a, b) => a.at - b.at)
}

/** Longer than a bus is trusted that says nothing. */
function makeSilence({ dice, processes, endsAt }: Room): TimedFault {
  const at = dice.between(0.1, 0.4) * endsAt
  const process = dice.whole(0, processes - 1)
  return dice.chance(0.5)
    ? { kind: 'bus-silent', at, process, ms: 4500 }
    : { kind: 'pause', at, process, ms: 3500, first: dice.pick(['timers', 'messages'] as const) }
}

function makeFault({ dice, processes, keys, versions, endsAt, copies }: Room): TimedFault[] {
  const at = dice.between(0, endsAt)
  const process = dice.whole(0, processes - 1)
  const spot = { at, key: dice.pick(keys), version: dice.pick(versions) }
  const kind = dice.weighted(copies === 'none' ? weights : { ...weights, 'bus-silent': 12 })
  switch (kind) {
    case 'pause':
      return [{ kind, at, process, ms: dice.pick([20, 120, 500, 1500]), first: dice.pick(['timers', 'messages'] as const) }]
    case 'kill':
      return [{ kind, at, process, restartMs: dice.pick([undefined, 50, 400]) }]
    case 'close':
      return [{ kind, at, process, restartMs: dice.pick([20, 300]) }]
    case 'bus-down':
      return [{ kind, at, process, ms: dice.between(20, 800), noticedMs: dice.pick([1, 50]) }]
    case 'bus-silent':
      return [{ kind, at, process, ms: dice.pick([200, 1000]) }]
    case 'disconnect':
    case 'stuck':
      return [{ kind, at, process, ms: dice.between(10, 500) }]
    case 'evict-value':
    case 'evict-lease':
      return [{ kind, ...spot }]
    case 'evict-all':
    case 'evict-record':
    case 'evict-tags':
    case 'snapshot':
      return [{ kind, at }]
    case 'full':
      return [{ kind, at, ms: dice.between(50, 600) }]
    case 'restart': {
      const from = dice.pick(['empty', 'snapshot'] as const)
      const restart: TimedFault = { kind, at, downMs: dice.chance(0.4) ? dice.between(1, 15) : dice.between(5, 300), from }
      return from === 'empty' ? [restart] : [{ kind: 'snapshot', at: Math.max(0, at - dice.between(10, 600)) }, restart]
    }
    case 'clock-step':
      return [{ kind, at, ms: dice.pick([30, 500, 5000, -500]) }]
    case 'corrupt':
      return [{ kind, ...spot, damage: dice.pick<Damage>(['flip', 'cut', 'foreign', 'future', 'swap', 'codec', 'payload']) }]
  }
}
