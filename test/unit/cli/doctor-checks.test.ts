import { describe, expect, it } from 'vitest'
import { diagnose } from '../../../src/cli/doctor/diagnose.ts'
import type { Facts, SampledKey } from '../../../src/cli/doctor/facts.ts'
import { findCliff } from '../../../src/cli/doctor/ttl-cliff.ts'
import { RedisInfo } from '../../../src/cli/redis-info.ts'
import { parseKey } from '../../../src/redis/parse-key.ts'

/** Recorded from servers that a test does not start. */
const recorded = {
  redis62:
    'redis_version:6.2.14\r\nredis_mode:standalone\r\nrole:master\r\nmaxmemory:1073741824\r\nmaxmemory_policy:allkeys-lfu\r\n',
  valkey8: 'redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r\nrole:master\r\n',
  fragmented: 'used_memory:1073741824\r\nmem_fragmentation_ratio:1.83\r\nmem_fragmentation_bytes:891289600\r\n',
  tooSmallToMatter: 'used_memory:939408\r\nmem_fragmentation_ratio:7.43\r\nmem_fragmentation_bytes:5745624\r\n',
  farBehind:
    'role:master\r\nmaster_repl_offset:900000000\r\nconnected_slaves:1\r\nslave0:ip=10.0.0.7,port=6379,state=online,offset=1000,lag=1\r\n',
  fullSync: 'role:master\r\nmaster_repl_offset:5\r\nslave0:ip=10.0.0.7,port=6379,state=send_bulk,offset=0,lag=0\r\n',
}

const blank: Facts = {
  role: 'cache',
  info: new RedisInfo(''),
  config: undefined,
  roundTripsMs: [],
  clock: undefined,
  slowLog: undefined,
  scripts: 'unknown',
  rights: { user: undefined, extent: 'none', missing: [], missingCourtesy: [] },
  sample: undefined,
  cluster: undefined,
  writeProbe: undefined,
  interruption: undefined,
}

function found(check: string, facts: Partial<Facts>): { state: string; finding: string } | undefined {
  return diagnose({ ...blank, ...facts }).find(finding => finding.check === check)
}

describe('the checks of the doctor', () => {
  it('know nothing when nothing could be asked, and say so', () => {
    const findings = diagnose(blank)
    expect(findings.length).toBeGreaterThan(15)
    expect(findings.filter(({ state }) => state !== 'unknown')).toEqual([])
  })

  it('give every problem and warning a reason and a fix', () => {
    const bad = diagnose({ ...blank, info: new RedisInfo(recorded.redis62), scripts: 'forbidden' }).filter(
      ({ state }) => state === 'problem' || state === 'warning',
    )
    expect(bad.map(({ check }) => check)).toEqual(['version', 'scripts'])
    for (const { why, fix } of bad) expect([why, fix].every(text => text !== undefined && text.length > 10)).toBe(true)
  })

  it('find a version that is too old, and take Valkey for what it is', () => {
    expect(found('version', { info: new RedisInfo(recorded.redis62) })).toMatchObject({
      state: 'problem',
      finding: 'Redis 6.2.14 is too old',
    })
    expect(found('version', { info: new RedisInfo(recorded.valkey8) })).toMatchObject({ state: 'ok', finding: 'Valkey 8.0.1' })
  })

  it('find fragmentation where it weighs', () => {
    expect(found('fragmentation', { info: new RedisInfo(recorded.fragmented) })).toMatchObject({
      state: 'warning',
      finding: 'fragmentation ratio 1.83: 850 MiB held and not used',
    })
    expect(found('fragmentation', { info: new RedisInfo(recorded.tooSmallToMatter) })?.state).toBe('ok')
  })

  it('find replicas that are far behind or not yet there', () => {
    expect(found('replication', { info: new RedisInfo(recorded.farBehind) })).toMatchObject({
      state: 'warning',
      finding: expect.stringContaining('858 MiB behind') as unknown,
    })
    expect(found('replication', { info: new RedisInfo(recorded.fullSync) })).toMatchObject({
      state: 'warning',
      finding: '10.0.0.7:6379 is send_bulk',
    })
  })

  it('do not say of the lasting keys of a namespace that they have a lifetime', () => {
    const key = (name: string, ttlMs: number): SampledKey => ({
      name,
      stored: parseKey(name),
      ttlMs,
      freshMs: undefined,
      bytes: 1,
    })
    const lasting = [key('shop:{t}:n', -1), key('shop:{t}:t', -1)]
    const of = (keys: SampledKey[]) => found('keys without lifetime', { sample: { keys, complete: true, total: keys.length } })
    expect(of(lasting)).toEqual({
      check: 'keys without lifetime',
      state: 'ok',
      finding: 'only 2 keys of namespaces themselves never expire, which is right (all 2 keys)',
    })
    expect(of([key('shop:{p0001}:v:a', 100)])?.finding).toBe('every key has a lifetime (all 1 key)')
    expect(of([...lasting, key('old', -1)])?.state).toBe('warning')
  })

  it('find a server that knows no scripts', () => {
    expect(found('scripts', { scripts: 'missing' })?.state).toBe('problem')
  })

  it.each([
    [[1, 1, 1, 9], 'ok'],
    [Array.from({ length: 100 }, (_, at) => (at < 94 ? 1 : 80)), 'warning'],
    [[8, 8, 8], 'problem'],
  ])('judge latency by median and tail: %j', (roundTripsMs, state) => {
    expect(found('latency', { roundTripsMs })?.state).toBe(state)
  })
})

describe('a cliff of lifetimes', () => {
  const spread = (count: number, from: number, to: number): number[] =>
    Array.from({ length: count }, (_, at) => from + ((to - from) * at) / count)

  it('is what many keys fall from together', () => {
    expect(findCliff([...spread(100, 1_000, 300_000), ...spread(100, 600_000, 601_000)])).toMatchObject({
      share: 0.5,
      inMs: 600_000,
    })
  })

  it('is not what jitter makes of keys that were stored together', () => {
    expect(findCliff(spread(1_000, 270_000, 300_000))).toBeUndefined()
  })

  it('is not what jitter makes of short lifetimes', () => {
    for (const ttlMs of [6_000, 10_000, 15_000]) expect(findCliff(spread(1_000, ttlMs * 0.9, ttlMs))).toBeUndefined()
  })

  it('is not a cache in its daily round, whatever its ttl', () => {
    for (const ttlMs of [1_000, 10_000, 300_000, 86_400_000]) expect(findCliff(spread(1_000, 0, ttlMs))).toBeUndefined()
  })

  it('is not seen in a handful of keys, nor in what is stale already', () => {
    expect(findCliff(spread(99, 60_000, 60_001))).toBeUndefined()
    expect(findCliff([...Array.from({ length: 500 }, () => 0), ...spread(100, 1_000, 300_000)])).toBeUndefined()
  })
})
