import { setTimeout as passed } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { sharedNowMs } from '../fleet/messages.ts'
import { until } from '../fleet/until.ts'
import { startSentinel } from '../sentinel.ts'
import { startRedis } from '../redis-server.ts'
import { OutageFleet } from './outage-fleet.ts'
import type { Row } from './rows.ts'

const deleted = Array.from({ length: 20 }, (_, nth) => `deleted${nth}`)

/** The replica that takes over has not heard of deletes that were acknowledged. */
export const failoverRow: Row = {
  name: 'sentinel',
  title: 'Sentinel fails over to a replica that has lost acknowledged deletes',
  async run(size) {
    const primary = await startRedis()
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(primary.port)] })
    const sentinel = await startSentinel('primary', primary.port, { downAfterMs: 500 })
    const watching = new Redis(replica.url)
    const admin = new Redis(primary.url)
    for (const client of [watching, admin]) client.on('error', () => {})
    try {
      await until(async () => (await watching.info('replication')).includes('master_link_status:up'), 'the replica to be in step')
      await until(() => sentinel.knowsReplica(), 'Sentinel to know the replica')
      const target = { sentinels: [{ host: '127.0.0.1', port: sentinel.port }], name: 'primary' }
      await using fleet = await OutageFleet.start([target, target])
      const [writer, reader] = fleet.workers
      await writer!.ask('ask', { keys: deleted, value: 'old' })
      await until(async () => (await watching.dbsize()) >= deleted.length, 'the replica to have the values')
      await fleet.load({ perSecond: 500, keys: 200, loadMs: 20 })
      await passed(size === 'full' ? 3000 : 1500)
      await fleet.take()
      // From here on the replica hears nothing.
      process.kill(replica.pid, 'SIGSTOP')
      await admin.call('CLIENT', 'KILL', 'TYPE', 'replica')
      const outcomes = await writer!.ask('delete', { keys: deleted })
      await primary.stop()
      process.kill(replica.pid, 'SIGCONT')
      await until(async () => (await watching.info('replication')).includes('role:master'), 'the replica to be promoted', 30_000)
      const promotedAt = sharedNowMs()
      await until(() => sentinel.names(replica.port), 'Sentinel to tell of it', 30_000)
      const stillThere = (await watching.keys('*deleted*')).length
      await passed(1000)
      const answers = await reader!.ask('ask', { keys: deleted, value: 'new' })
      await passed(2000)
      const seen = await fleet.take(promotedAt)
      await fleet.stop()
      const errors = seen.flatMap(each => Object.entries(each.errors))
      return {
        seen,
        recoveryMs: Math.max(...seen.map(({ firstVouchedAt }) => (firstVouchedAt ?? Infinity) - promotedAt)),
        notes: [
          `${stillThere} deleted values came back with the replica, ${answers.filter(answer => answer === 'old').length} were answered 1 s after Sentinel had told of it`,
        ],
        problems: [
          ...errors.map(([code, count]) => `${count} calls rejected with ${code}`),
          ...(outcomes.every(outcome => outcome === 'applied') ? [] : ['a delete was not acknowledged']),
          ...(stillThere === 0 ? ['the replica had heard of the deletes: nothing was shown'] : []),
          ...(answers.includes('old') ? ['a deleted value was answered'] : []),
        ],
      }
    } finally {
      watching.disconnect()
      admin.disconnect()
      await Promise.all([sentinel.stop(), replica.stop(), primary.stop()])
    }
  },
}
