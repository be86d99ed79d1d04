import { formatBytes, formatCount, formatShare, plural, redisBytes } from '../../quantities.ts'
import type { Facts } from '../facts.ts'
import { type Check, type Finding, info, ok, problem, set, unreadable, warning } from '../finding.ts'

const roomForRedis = 0.8
const advisedShare = 0.72
const fragmentedRatio = 1.5
/** Below this the ratio says nothing: an empty server has one of 7. */
const leastWasteBytes = 64 * 1024 ** 2
const fullShare = 0.9
const fillingShare = 0.8

function maxmemory({ role, info: server }: Facts): Finding {
  const limit = server.number('maxmemory')
  if (limit === undefined) return unreadable('maxmemory')
  const machine = server.number('total_system_memory') ?? 0
  const advice = machine > 0 ? redisBytes(machine * advisedShare) : '<70 to 75 % of the memory>'
  if (limit === 0) {
    const why =
      role === 'cache'
        ? 'without a limit nothing is evicted: the cache grows until the kernel kills Redis'
        : 'without a limit the queue grows until the kernel kills Redis, instead of refusing writes'
    return problem(
      'maxmemory is not set',
      why,
      `${set('maxmemory', advice)} (72 % of what the machine has; less if it runs more)`,
    )
  }
  if (machine > 0 && limit > machine * roomForRedis) {
    const finding = `maxmemory is ${formatBytes(limit)}, ${formatShare(limit / machine)} of the machine's ${formatBytes(machine)}`
    const why = 'fragmentation, client buffers and copies while forking come on top, and the kernel kills what does not fit'
    return warning(finding, why, set('maxmemory', advice))
  }
  return ok(`maxmemory is ${formatBytes(limit)}`)
}

function inUse({ role, info: server }: Facts): Finding | undefined {
  const used = server.number('used_memory')
  const limit = server.number('maxmemory')
  if (used === undefined || limit === undefined) return unreadable('used_memory')
  if (limit === 0) return info(`${formatBytes(used)} in use`)
  const share = used / limit
  const finding = `${formatBytes(used)} in use, ${formatShare(share)} of maxmemory`
  if (role === 'cache' || share < fillingShare) {
    const evicted = server.number('evicted_keys') ?? 0
    return evicted > 0 ? info(`${finding}; ${plural(evicted, 'key')} evicted since the start`) : ok(finding)
  }
  const why = 'a full queue refuses every write'
  const fix = 'consume faster, trim what is finished, or raise maxmemory'
  return share < fullShare ? warning(finding, why, fix) : problem(finding, why, fix)
}

function fragmentation({ info: server }: Facts): Finding {
  const ratio = server.number('mem_fragmentation_ratio')
  const wasted = server.number('mem_fragmentation_bytes')
  if (ratio === undefined || wasted === undefined) return unreadable('the fragmentation ratio')
  if (ratio <= fragmentedRatio) return ok(`fragmentation ratio ${ratio.toFixed(2)}`)
  if (wasted < leastWasteBytes) {
    return ok(`fragmentation ratio ${ratio.toFixed(2)}, of no weight in a process this small (${formatBytes(wasted)})`)
  }
  const why = 'Redis holds memory that it cannot use, and maxmemory does not count it'
  const fix = `${set('activedefrag', 'yes')}; where the server was built without it (Debian's package): MEMORY PURGE, else a restart`
  return warning(`fragmentation ratio ${ratio.toFixed(2)}: ${formatBytes(wasted)} held and not used`, why, fix)
}

const lazySettings = [
  'lazyfree-lazy-eviction',
  'lazyfree-lazy-expire',
  'lazyfree-lazy-server-del',
  'lazyfree-lazy-user-del',
  'replica-lazy-flush',
]

function lazyfree({ config }: Facts): Finding {
  if (config === undefined) return unreadable('lazyfree-*')
  const off = lazySettings.filter(name => config.get(name) === 'no')
  if (off.length === 0) return ok('values are freed in the background')
  const why = 'freeing a big value holds up every other command'
  return warning(
    `${off.join(', ')} ${off.length === 1 ? 'is' : 'are'} off`,
    why,
    `CONFIG SET ${off.map(name => `${name} yes`).join(' ')}, and the same in redis.conf`,
  )
}

const leastLookups = 10_000
const goodRatio = 0.7

function hitRatio({ role, info: server }: Facts): Finding | undefined {
  if (role === 'queue') return undefined
  const hits = server.number('keyspace_hits')
  const misses = server.number('keyspace_misses')
  if (hits === undefined || misses === undefined) return unreadable('the hit ratio')
  const lookups = hits + misses
  if (lookups < leastLookups) return info(`${plural(lookups, 'look-up')} since the start: too few to judge the hit ratio`)
  const ratio = hits / lookups
  const finding = `${formatShare(ratio)} of ${formatCount(lookups)} look-ups found their key (all clients, scripts included)`
  if (ratio >= goodRatio) return ok(finding)
  const why =
    'most questions reach the source; the scripts of a miss look up keys too, so the share of calls answered is higher than this'
  const fix =
    'compare with the hit and miss events of your caches; then look for a ttl too short, a memory too small (evictions), or keys that never repeat'
  return warning(finding, why, fix)
}

export const memoryChecks: readonly Check[] = [
  { name: 'maxmemory', run: maxmemory },
  { name: 'memory in use', run: inUse },
  { name: 'fragmentation', run: fragmentation },
  { name: 'lazy freeing', run: lazyfree },
  { name: 'hit ratio', run: hitRatio },
]
