import type { Redis } from 'ioredis'
import { percentile } from '../percentile.ts'
import { RedisInfo } from '../redis-info.ts'
import { type ResourceTally, lookAtKeys } from './look-at-keys.ts'
import { RollingScan } from './rolling-scan.ts'
import type { CommandLoad, LookUps, ResourceLoad, Snapshot } from './snapshot.ts'
import type { WakeUps } from './wake-ups.ts'

/** A frame costs Redis some 20 SCANs and three look-ups for each of these. */
const keysPerFrame = 10_000
const entriesPerFrame = 300

/** Asks a server what there is to show, and keeps the last answer to tell rates. */
export class Collector {
  readonly #redis: Redis
  readonly #scan: RollingScan
  readonly #wakeUps: WakeUps | undefined
  #last: { readonly info: RedisInfo; readonly atMs: number } | undefined

  constructor(redis: Redis, wakeUps: WakeUps | undefined) {
    this.#redis = redis
    this.#scan = new RollingScan(redis, keysPerFrame)
    this.#wakeUps = wakeUps
  }

  async collect(): Promise<Snapshot> {
    const [text, time] = await Promise.all([this.#redis.info('everything'), this.#redis.time()])
    const atMs = performance.now()
    const info = new RedisInfo(text)
    const rates = new Rates(info, atMs, this.#last)
    const policy = info.text('maxmemory_policy')
    const stretch = await this.#scan.next()
    const [seconds, micros] = time.map(Number) as [number, number]
    const tallies = await lookAtKeys(this.#redis, stretch.names, {
      entries: entriesPerFrame,
      serverNowMs: seconds * 1_000 + micros / 1_000,
      lfu: policy?.endsWith('lfu') === true,
    })
    // So that what was looked up for this frame is not counted as traffic in the next.
    this.#last = { info: new RedisInfo(await this.#redis.info('everything')), atMs: performance.now() }
    const scale = stretch.complete || stretch.names.length === 0 ? 1 : Math.max(1, info.keys / stretch.names.length)
    const wakes = this.#wakeUps?.take()
    const seenMs = rates.elapsedMs
    return {
      server: info.server,
      uptimeSeconds: info.number('uptime_in_seconds'),
      memory: {
        usedBytes: info.number('used_memory'),
        limitBytes: info.number('maxmemory'),
        policy,
        fragmentation: info.number('mem_fragmentation_ratio'),
        evictedPerSecond: rates.of('evicted_keys'),
        expiredPerSecond: rates.of('expired_keys'),
      },
      clients: {
        now: info.number('connected_clients'),
        most: info.number('maxclients'),
        blocked: info.number('blocked_clients'),
      },
      traffic: rates.traffic,
      lookUps: rates.lookUps,
      commands: rates.commands,
      wakeUpsPerSecond: wakes === undefined ? undefined : perSecond(sum(wakes.values()), seenMs),
      keyspace: {
        keys: Math.max(info.keys, stretch.complete ? stretch.names.length : 0),
        scanned: stretch.names.length,
        complete: stretch.complete,
        sampled: sum([...tallies.values()].map(tally => tally.looked)),
      },
      resources: resourcesOf(tallies, wakes, seenMs, scale),
    }
  }
}

/** How fast the counters of INFO went up since the last time. */
class Rates {
  readonly elapsedMs: number | undefined
  readonly #now: RedisInfo
  readonly #before: RedisInfo | undefined

  constructor(now: RedisInfo, atMs: number, last: { readonly info: RedisInfo; readonly atMs: number } | undefined) {
    this.#now = now
    // A server that was restarted counts from 0 again.
    const same = last !== undefined && last.info.text('run_id') === now.text('run_id')
    this.#before = same ? last.info : undefined
    this.elapsedMs = same ? Math.max(1, atMs - last.atMs) : undefined
  }

  of(counter: string): number | undefined {
    const grown = this.#grown(counter)
    return grown === undefined ? undefined : perSecond(grown, this.elapsedMs)
  }

  get traffic(): Snapshot['traffic'] {
    const [commands, input, output] = ['total_commands_processed', 'total_net_input_bytes', 'total_net_output_bytes'].map(name =>
      this.of(name),
    )
    if (commands === undefined) return undefined
    return { commandsPerSecond: commands, inBytesPerSecond: input ?? 0, outBytesPerSecond: output ?? 0 }
  }

  get lookUps(): LookUps {
    const [hits, misses] = [this.#grown('keyspace_hits'), this.#grown('keyspace_misses')]
    const [allHits = 0, allMisses = 0] = [this.#now.number('keyspace_hits'), this.#now.number('keyspace_misses')]
    const lookUps = hits === undefined || misses === undefined ? undefined : hits + misses
    return {
      perSecond: lookUps === undefined ? undefined : perSecond(lookUps, this.elapsedMs),
      found: lookUps === undefined || lookUps === 0 ? undefined : (hits ?? 0) / lookUps,
      foundSinceStart: allHits + allMisses === 0 ? undefined : allHits / (allHits + allMisses),
    }
  }

  get commands(): CommandLoad[] {
    const { elapsedMs } = this
    if (elapsedMs === undefined) return []
    const loads = this.#now.names('cmdstat_').map((field): CommandLoad => {
      const name = field.slice('cmdstat_'.length)
      const grown = (part: string): number =>
        Number(this.#now.parts(field)?.get(part) ?? 0) - Number(this.#before?.parts(field)?.get(part) ?? 0)
      const percentiles = this.#now.parts(`latency_percentiles_usec_${name}`)
      const ms = (share: string): number | undefined =>
        percentiles?.has(share) === true ? Number(percentiles.get(share)) / 1_000 : undefined
      return {
        name,
        perSecond: perSecond(grown('calls'), elapsedMs) ?? 0,
        busy: grown('usec') / (elapsedMs * 1_000),
        p50Ms: ms('p50'),
        p99Ms: ms('p99'),
      }
    })
    return loads.filter(load => load.perSecond > 0).toSorted((a, b) => b.busy - a.busy)
  }

  #grown(counter: string): number | undefined {
    const [now, before] = [this.#now.number(counter), this.#before?.number(counter)]
    // CONFIG RESETSTAT sets counters back.
    return now === undefined || before === undefined ? undefined : Math.max(0, now - before)
  }
}

function resourcesOf(
  tallies: ReadonlyMap<string, ResourceTally>,
  wakes: ReadonlyMap<string, number> | undefined,
  elapsedMs: number | undefined,
  scale: number,
): ResourceLoad[] {
  const ids = new Set([...tallies.keys(), ...(wakes?.keys() ?? [])])
  const loads = [...ids].map((id): ResourceLoad => {
    const [owner = '', resource = ''] = id.split('\0')
    const tally = tallies.get(id)
    const looked = tally?.looked ?? 0
    const loadsMs = tally?.loadsMs ?? []
    const heats = tally?.heats ?? []
    return {
      owner,
      resource,
      entries: Math.round((tally?.entries ?? 0) * scale),
      freshShare: looked === 0 ? undefined : (tally?.fresh ?? 0) / looked,
      meanBytes: looked === 0 ? undefined : (tally?.bytes ?? 0) / looked,
      loadP95Ms: loadsMs.length === 0 ? undefined : percentile(loadsMs, 95),
      heat: heats.length === 0 ? undefined : sum(heats) / heats.length,
      loading: tally?.loading ?? 0,
      waitedFor: tally?.waitedFor ?? 0,
      wakeUpsPerSecond: wakes === undefined ? undefined : perSecond(wakes.get(id) ?? 0, elapsedMs),
    }
  })
  return loads.toSorted(
    (a, b) =>
      (b.wakeUpsPerSecond ?? 0) - (a.wakeUpsPerSecond ?? 0) ||
      b.waitedFor - a.waitedFor ||
      b.loading - a.loading ||
      (b.heat ?? 0) - (a.heat ?? 0) ||
      b.entries - a.entries,
  )
}

function perSecond(count: number, elapsedMs: number | undefined): number | undefined {
  return elapsedMs === undefined ? undefined : (count * 1_000) / elapsedMs
}

function sum(numbers: Iterable<number>): number {
  let total = 0
  for (const number of numbers) total += number
  return total
}
