import { setTimeout as passed } from 'node:timers/promises'
import { Keys } from '../../src/redis/keys.ts'
import { OwnCluster } from '../faults/own-cluster.ts'
import { sharedNowMs } from '../fleet/messages.ts'
import { checkHistory } from '../histories/checker.ts'
import { History } from '../histories/history.ts'
import type { Operation } from '../histories/operation.ts'
import { nameOf } from '../histories/recorded-cache.ts'
import { loadsByAll, mostWithin } from './load-times.ts'
import { outageTtlMs, type Load, type Seen } from './messages.ts'
import { OutageFleet } from './outage-fleet.ts'
import type { Row } from './rows.ts'

const load: Load = { perSecond: 500, keys: 200, loadMs: 20 }
const changingCount = 20
/** How long after a promotion the new primary may not have been told yet. */
const replayedMs = 1000
const nodeTimeoutMs = 1000
/** A slot with many keys is on its way for longer than one with a few. */
const halfWayMs = 20

function open(cluster: OwnCluster): Promise<OutageFleet> {
  const target = { clusterPorts: cluster.urls.map(url => Number(new URL(url).port)) }
  return OutageFleet.start([target, target])
}

function slotsOf(fleet: OutageFleet): (key: string) => number {
  const names = new Keys(fleet.namespace, '', 0, 512)
  return key => names.slot({ key, version: 0 })
}

/** Reads of revoked values, of those that began from `since` on. */
function violationsOf(operations: readonly Operation[], since: number): readonly string[] {
  const earlier = operations.filter(({ began }) => began < since)
  const { counts, violations } = checkHistory(
    History.of([...earlier, ...operations.filter(({ began }) => began >= since)]),
    earlier.length,
  )
  return [
    ...(counts.violations > 0 ? [`${counts.violations} reads of revoked values`] : []),
    ...violations.map(({ text }) => text),
    ...(counts.readsOverlapping === 0 || counts.vouched === 0 ? ['no read was put to the test'] : []),
  ]
}

function errorsOf(seen: readonly Seen[]): string[] {
  return seen.flatMap(({ errors }) => Object.entries(errors)).map(([code, count]) => `${count} calls rejected with ${code}`)
}

const lostPrimary: Row = {
  name: 'cluster-primary-lost',
  title:
    'A Cluster of 3 primaries and 3 replicas loses the primary that has the namespace record, and acknowledged deletes with it',
  async run(size) {
    await using cluster = await OwnCluster.start({ replicas: 3, nodeTimeoutMs })
    await using fleet = await open(cluster)
    const [writer, reader] = fleet.workers
    const slotOf = slotsOf(fleet)
    const owners = await cluster.owners()
    const lost = owners(new Keys(fleet.namespace, '', 0, 512).namespaceSlot)
    const replica = cluster.replicaOf(lost)
    const atLost = Array.from({ length: 400 }, (_, nth) => `deleted${nth}`).filter(key => owners(slotOf(key)) === lost)
    const [acknowledged, deferred] = [atLost.slice(0, 20), atLost.slice(20, 40)]
    await writer!.ask('ask', { keys: [...acknowledged, ...deferred], value: 'old' })
    const keys = Array.from({ length: 200 }, (_, key) => key).filter(key => owners(slotOf(nameOf(key))) === lost)
    const changing = { keys: keys.slice(0, changingCount), readsPerSecond: 200, deletesPerSecond: 40 }
    await fleet.load({ ...load, changing })
    await passed(size === 'full' ? 3000 : 1500)
    await cluster.replicated(lost)
    const before = await fleet.take()
    await cluster.cutReplication(lost)
    const outcomes = await writer!.ask('delete', { keys: acknowledged })
    await cluster.killPrimary(lost)
    const lostAt = sharedNowMs()
    const later = await writer!.ask('delete', { keys: deferred })
    await cluster.promoted(replica)
    const promotedAt = sharedNowMs()
    const stillThere = (await replica.admin.keys('*deleted*')).length
    const during = await fleet.take()
    await passed(replayedMs)
    const answers = await reader!.ask('ask', { keys: [...acknowledged, ...deferred], value: 'new' })
    await passed(size === 'full' ? 10_000 : 2000)
    const after = await fleet.take(promotedAt)
    await fleet.stop()
    const operations = await fleet.recorded()
    const inTtl = Math.max(...during.map(({ mostLoadsPerTtl }) => mostLoadsPerTtl))
    const loads = mostWithin(Infinity, loadsByAll(after, promotedAt))
    const early = checkHistory(History.of(operations)).counts.violations
    return {
      seen: during,
      recoveryMs: Math.max(...after.map(({ firstVouchedAt }) => (firstVouchedAt ?? Infinity) - promotedAt)),
      notes: [
        `promoted after ${((promotedAt - lostAt) / 1000).toFixed(1)} s`,
        `a key loaded ${loads} times at most by both processes from then on`,
        `${later.filter(outcome => outcome === 'deferred').length} deletes deferred, ${acknowledged.length} lost; ${early} reads of revoked values, all within 1 s of the promotion`,
      ],
      problems: [
        ...errorsOf([...before, ...during, ...after]),
        ...violationsOf(operations, promotedAt + replayedMs),
        ...(outcomes.every(outcome => outcome === 'applied') ? [] : ['a delete was not acknowledged']),
        ...(stillThere > 0 ? [] : ['the replica had heard of the deletes: nothing was shown']),
        ...(answers.includes('old') ? ['a deleted value was answered'] : []),
        ...(inTtl > 1 ? [`a key was loaded ${inTtl} times within one outage ttl by one process`] : []),
        ...(loads > 2 ? [`a key was loaded ${loads} times after the promotion`] : []),
        ...(after.every(({ firstVouchedAt }) => firstVouchedAt !== undefined) ? [] : ['Redis was not used again']),
      ],
    }
  },
}

const migration: Row = {
  name: 'cluster-migration',
  title: 'Slots of a Cluster move under load, that of the namespace record with them',
  async run(size) {
    await using cluster = await OwnCluster.start()
    await using fleet = await open(cluster)
    const slotOf = slotsOf(fleet)
    const keys = Array.from({ length: changingCount }, (_, key) => key)
    const record = new Keys(fleet.namespace, '', 0, 512).namespaceSlot
    const hot = Array.from({ length: load.keys }, (_, nth) => slotOf(`k${nth}`))
    await fleet.load({ ...load, changing: { keys, readsPerSecond: 200, deletesPerSecond: 40 } })
    await passed(size === 'full' ? 3000 : 1500)
    const before = await fleet.take()
    const slots = [record, ...keys.map(key => slotOf(nameOf(key))), ...hot.slice(0, size === 'full' ? load.keys : changingCount)]
    let moved = 0
    for (let round = 0; round < (size === 'full' ? 2 : 1); round++) {
      for (const slot of new Set(slots)) {
        const from = await cluster.ownerOf(slot)
        const to = cluster.primaries.find(node => node !== from)
        await cluster.moveSlot(slot, from, to!, halfWayMs)
        moved++
      }
    }
    const movedAt = sharedNowMs()
    const during = await fleet.take()
    await passed(1000)
    const after = await fleet.take(movedAt)
    await fleet.stop()
    const loads = mostWithin(outageTtlMs, loadsByAll(during, 0))
    return {
      seen: during,
      recoveryMs: Math.max(...after.map(({ firstVouchedAt }) => (firstVouchedAt ?? Infinity) - movedAt)),
      notes: [
        `${moved} slots moved, a key loaded ${loads} times at most by both processes within one outage ttl`,
        'no read of a revoked value',
      ],
      problems: [
        ...errorsOf([...before, ...during, ...after]),
        ...violationsOf(await fleet.recorded(), 0),
        ...(loads > 2 ? [`a key was loaded ${loads} times within one outage ttl`] : []),
      ],
    }
  },
}

/** What happens to a Cluster under load. */
export const clusterRows: readonly Row[] = [lostPrimary, migration]
