import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { sharedNowMs } from '../fleet/messages.ts'
import { sharedRedisUrl } from '../shared-redis.ts'
import { describeHistory } from './describe-history.ts'
import { runHistory } from './run-history.ts'

const operations = 20_000
const copyOperations = 10_000
const validatedOperations = 5_000

describe('a recorded history of several processes', () => {
  it(`${operations} operations on few keys: no read gets a value that had been revoked before it asked`, async () => {
    const { findings, ...rest } = await runHistory({ redisUrl: sharedRedisUrl(), operations, processes: 3, seed: 1 })
    const { counts } = findings
    expect(counts.violations, describeHistory({ findings, ...rest })).toBe(0)
    expect(rest.unhandled).toEqual([])
    expect(counts.operations).toBeGreaterThanOrEqual(operations)
    // Without these it would show nothing.
    expect(counts.vouched).toBeGreaterThan(counts.reads / 2)
    expect(counts.readsOverlapping).toBeGreaterThan(1000)
    expect(counts.loadsOverlapping).toBeGreaterThan(100)
    expect(counts.readsBesideRevokedLoads).toBeGreaterThan(100)
    expect(counts.broadInvalidations).toBeGreaterThan(100)
    for (const way of ['hit', 'stale', 'miss:loaded', 'miss:joined', 'miss:waited', 'commit:stored', 'commit:lost'])
      expect(rest.events, way).toHaveProperty(way)
  })

  it('with copies in the processes: none is behind for longer than is promised, and of what its own process revoked none at all', async () => {
    const { findings, ...rest } = await runHistory({
      redisUrl: sharedRedisUrl(),
      operations: copyOperations,
      processes: 3,
      seed: 2,
      local: 'trust',
    })
    const { counts } = findings
    expect(counts.violations, describeHistory({ findings, ...rest })).toBe(0)
    expect(rest.unhandled).toEqual([])
    expect(counts.copy).toBeGreaterThan(counts.reads / 20)
    expect(counts.vouched).toBeGreaterThan(counts.reads / 20)
    expect(counts.readsBesideRevokedLoads).toBeGreaterThan(30)
  })

  it('with large values that are vouched for by their headers: no read gets a value that had been revoked before it asked', async () => {
    const redis = new Redis(sharedRedisUrl())
    const headersRead = async (): Promise<number> =>
      Number(/cmdstat_getrange:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0)
    const before = await headersRead()
    const { findings, ...rest } = await runHistory({
      redisUrl: sharedRedisUrl(),
      operations: validatedOperations,
      processes: 3,
      seed: 3,
      local: 'validate',
    })
    const { counts } = findings
    expect(counts.violations, describeHistory({ findings, ...rest })).toBe(0)
    expect(rest.unhandled).toEqual([])
    expect(counts.vouched).toBeGreaterThan(counts.reads / 2)
    expect(counts.readsBesideRevokedLoads).toBeGreaterThan(30)
    expect((await headersRead()) - before).toBeGreaterThan(validatedOperations / 20)
    redis.disconnect()
  })

  it('is timed by one clock: what another process reads lies between two readings here', async () => {
    const script = 'process.stdout.write(String(Number(process.hrtime.bigint()) / 1e6))'
    for (let time = 0; time < 5; time++) {
      const before = sharedNowMs()
      const { stdout } = await promisify(execFile)(process.execPath, ['-e', script])
      expect(Number(stdout)).toBeGreaterThan(before)
      expect(Number(stdout)).toBeLessThan(sharedNowMs())
    }
  })
})
