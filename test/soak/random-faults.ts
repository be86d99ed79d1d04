import { setTimeout as passed } from 'node:timers/promises'
import type { Random } from '../../src/index.ts'
import type { OwnRedis } from '../faults/own-redis.ts'
import type { RecordingFleet } from '../histories/recording-fleet.ts'
import type { TrafficPlan } from '../histories/traffic.ts'

/** A fault, from its beginning to its mending. */
type Fault = (random: Random) => Promise<void>

export type FaultCounts = Record<string, number>

function between(random: Random, least: number, most: number): number {
  return least + random.next() * (most - least)
}

export function redisFaults(redis: OwnRedis): Readonly<Record<string, Fault>> {
  const full =
    (policy: string): Fault =>
    async random => {
      await redis.fill(policy)
      await passed(between(random, 200, 1500))
      await redis.drain()
    }
  return {
    'Redis killed, an empty one started': async random => {
      await redis.kill()
      await passed(between(random, 0, 1200))
      await redis.restart()
    },
    'Redis paused': async random => {
      redis.pause()
      await passed(between(random, 50, 1500))
      redis.resume()
    },
    'Redis paused for longer than its connections bear': async random => {
      redis.pause()
      await passed(between(random, 3000, 4500))
      redis.resume()
    },
    'scripts flushed again and again': async random => {
      await redis.repeat(['SCRIPT', 'FLUSH'], 10, between(random, 200, 1000))
    },
    'connections cut': async () => {
      await redis.command(['CLIENT', 'KILL', 'TYPE', 'normal'])
    },
    'wake-ups cut': async () => {
      await redis.command(['CLIENT', 'KILL', 'TYPE', 'pubsub'])
    },
    'Redis full, refusing writes': full('noeviction'),
    'Redis full, evicting': full('allkeys-lru'),
    'everything evicted': async () => {
      await redis.command(['FLUSHALL'])
    },
  }
}

/** The first `steady` processes are never killed, so that their memory can be watched. */
export function processFaults(fleet: RecordingFleet, steady: number, plan: TrafficPlan): Readonly<Record<string, Fault>> {
  let killed = 0
  return {
    'process paused': async random => {
      const member = fleet.members[Math.floor(random.next() * fleet.members.length)]
      await member?.pause()
      await passed(between(random, 50, 2500))
      member?.resume()
    },
    'process killed, another started': async random => {
      const place = steady + Math.floor(random.next() * (fleet.members.length - steady))
      await fleet.members[place]?.kill()
      const member = await fleet.place(place)
      await member.ask('start', { ...plan, seed: plan.seed * 1000 + 500 + ++killed })
    },
  }
}

/** One fault after the other until the time is over; the last one is mended. */
export async function makeFaults(
  faults: Readonly<Record<string, Fault>>,
  random: Random,
  forMs: number,
  counts: FaultCounts,
): Promise<void> {
  const names = Object.keys(faults)
  const until = performance.now() + forMs
  for (;;) {
    await passed(between(random, 100, 1500))
    if (performance.now() >= until) return
    const name = names[Math.floor(random.next() * names.length)] as string
    counts[name] = (counts[name] ?? 0) + 1
    await faults[name]?.(random)
  }
}
