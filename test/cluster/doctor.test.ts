import { Redis } from 'ioredis'
import { expect, it } from 'vitest'
import { diagnose } from '../redis/cli/diagnosis.ts'
import { startCluster } from '../redis-server.ts'

it('doctor finds slots that fail, and none while all are served', async () => {
  const cluster = await startCluster({ primaries: 3 })
  const [first, , third] = cluster.nodes
  const admin = new Redis(first!.url)
  try {
    expect((await diagnose(first!.url)).of('cluster')).toMatchObject({ state: 'ok', finding: '3 primaries, all slots served' })
    await third!.stop()
    await expect.poll(() => admin.cluster('INFO'), { timeout: 20_000, interval: 100 }).toContain('cluster_state:fail')
    const { of, exitCode } = await diagnose(first!.url)
    expect(of('cluster')).toMatchObject({
      state: 'problem',
      finding: expect.stringMatching(/cluster_state is fail, 5,46\d slots (possibly )?failing/) as unknown,
    })
    expect(exitCode).toBe(1)
  } finally {
    admin.disconnect()
    await cluster.stop()
  }
})
