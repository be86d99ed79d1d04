import { setTimeout as passed } from 'node:timers/promises'
import type { Row } from '../measured.ts'
import { Stage } from '../stage.ts'

const { processes } = Stage
const defaults = { commandTimeout: '100ms', storeBudget: '250ms' } as const

const killed: Row = {
  name: 'redis-killed',
  title: 'Redis SIGKILL + empty restart',
  recoveredFrom: 'from the first PONG',
  async run(size) {
    await using stage = await Stage.open(size, size === 'full' ? { options: defaults } : {})
    await stage.startTraffic()
    await stage.redis.kill()
    await stage.stampede('while it is gone', processes)
    await passed(size === 'full' ? 3000 : 200)
    await stage.redis.restart()
    stage.mended()
    await passed(size === 'full' ? 3000 : 1500)
    await stage.stampede('afterwards', 1)
    return await stage.finish()
  },
}

const paused: Row = {
  name: 'redis-paused',
  title: 'SIGSTOP Redis 10 s',
  recoveredFrom: 'from SIGCONT',
  async run(size) {
    const options = size === 'full' ? defaults : ({ commandTimeout: '400ms', storeBudget: '800ms' } as const)
    await using stage = await Stage.open(size, { options })
    await stage.startTraffic()
    stage.redis.pause()
    await stage.stampede('at once', processes)
    await passed(size === 'full' ? 9000 : 500)
    await stage.stampede('at the end', processes)
    stage.redis.resume()
    stage.mended()
    await passed(size === 'full' ? 4000 : 1500)
    await stage.stampede('afterwards', 1)
    return await stage.finish()
  },
}

const flushed: Row = {
  name: 'script-flush',
  title: 'SCRIPT FLUSH every 10 ms',
  async run(size) {
    await using stage = await Stage.open(size)
    await stage.startTraffic()
    const flushing = stage.redis.repeat(['SCRIPT', 'FLUSH'], 10, size === 'full' ? 10_000 : 1000)
    const rounds = size === 'full' ? 40 : 4
    for (let round = 0; round < rounds; round++) await stage.stampede('meanwhile', 1)
    const times = await flushing
    return await stage.finish({ notes: [`flushed ${times} times`] })
  },
}

const full: Row = {
  name: 'redis-full',
  title: 'noeviction OOM',
  recoveredFrom: 'from the return of memory',
  async run(size) {
    await using stage = await Stage.open(size)
    await stage.startTraffic({ shares: { set: 3, delete: 3, expire: 3 } })
    const rounds = size === 'full' ? 20 : 2
    for (let round = 0; round < rounds; round++) {
      await stage.redis.fill('noeviction')
      await passed(200)
      await stage.stampede('while it is full', processes)
      await stage.redis.drain()
    }
    stage.mended()
    await passed(500)
    await stage.stampede('afterwards', 1)
    const measured = await stage.finish()
    const { failedInvalidations } = measured.counts
    const failures = failedInvalidations === 0 ? [] : [`${failedInvalidations} invalidations failed`]
    return { ...measured, failures: [...measured.failures, ...failures] }
  },
}

const evicting: Row = {
  name: 'redis-evicting',
  title: 'allkeys-lfu at 10 % memory',
  async run(size) {
    const [keys, paddingBytes] = [400, 4096]
    await using stage = await Stage.open(size, { paddingBytes })
    const used = await stage.redis.info('used_memory')
    const room = Math.round((keys * paddingBytes) / 10)
    await stage.redis.command(['CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu', 'maxmemory', used + room])
    // Half of the calls go to a few keys, so that invalidations still meet loads.
    await stage.startTraffic({ keys, hotKeys: 6, callers: 16, pauseMs: 4 })
    const rounds = size === 'full' ? 20 : 2
    for (let round = 0; round < rounds; round++) {
      await passed(400)
      await stage.stampede('meanwhile', Infinity)
    }
    const evicted = await stage.redis.info('evicted_keys')
    stage.expect(evicted > 0, 'nothing was evicted')
    return await stage.finish({ notes: [`${evicted} keys evicted`] })
  },
}

export const redisRows: readonly Row[] = [killed, paused, flushed, full, evicting]
