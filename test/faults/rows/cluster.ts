import { setTimeout as passed } from 'node:timers/promises'
import { Keys } from '../../../src/redis/keys.ts'
import { nameOf } from '../../histories/recorded-cache.ts'
import type { Row } from '../measured.ts'
import { OwnCluster } from '../own-cluster.ts'
import { Stage } from '../stage.ts'

const trafficKeys = 6

function slotsOf(stage: Stage, keys: readonly number[]): number[] {
  const names = new Keys(stage.fleet.namespace, '', 0, 512)
  return [...new Set(keys.map(key => names.slot({ key: nameOf(key), version: 0 })))]
}

const migration: Row = {
  name: 'slot-migration',
  title: 'slot migration under load',
  recoveredFrom: 'from the last move',
  async run(size) {
    await using cluster = await OwnCluster.start()
    await using stage = await Stage.open(size, { redisUrls: cluster.urls })
    await stage.startTraffic({ keys: trafficKeys })
    const move = async (slots: readonly number[]): Promise<void> => {
      for (const slot of slots) {
        const from = await cluster.ownerOf(slot)
        const to = cluster.primaries.find(node => node !== from)
        if (to !== undefined) await cluster.moveSlot(slot, from, to)
      }
    }
    const busy = slotsOf(
      stage,
      Array.from({ length: trafficKeys }, (_, key) => key),
    )
    const rounds = size === 'full' ? 50 : 4
    for (let round = 0; round < rounds; round++) {
      await move(busy)
      await stage.stampede('meanwhile', size === 'full' ? 2 : Stage.processes, keys => move(slotsOf(stage, keys)))
    }
    stage.mended()
    await passed(500)
    await stage.stampede('afterwards', 1)
    return await stage.finish({ notes: [`${rounds * (busy.length + Stage.stampedeKeys)} slots moved`] })
  },
}

const orderly: Row = {
  name: 'failover-orderly',
  title: 'cluster failover that loses nothing',
  recoveredFrom: 'from the promotion',
  async run(size) {
    await using cluster = await OwnCluster.start()
    await using stage = await Stage.open(size, { redisUrls: cluster.urls })
    await stage.startTraffic({ keys: trafficKeys })
    await cluster.promoteReplica('orderly')
    stage.mended()
    await passed(size === 'full' ? 4000 : 1500)
    await stage.stampede('afterwards', 1)
    return await stage.finish()
  },
}

/** From a promotion until the process that deleted has told the new primary again. */
const replayedMs = 1000

const lossy: Row = {
  name: 'failover-lost-writes',
  title: 'cluster failover with lost writes',
  recoveredFrom: 'from the promotion',
  async run(size) {
    const ttlMs = 6000
    await using cluster = await OwnCluster.start()
    await using stage = await Stage.open(size, { redisUrls: cluster.urls })
    const [primary] = cluster.primaries
    const [member] = stage.members
    // Keys of the primary that will be lost, with values that outlive it.
    const keys: number[] = []
    for (const key of stage.freshKeys(60)) {
      for (const slot of slotsOf(stage, [key])) if ((await cluster.ownerOf(slot)) === primary) keys.push(key)
    }
    await member?.ask('getOrSet', { keys, plan: { takesMs: 1 }, options: { ttl: ttlMs, jitter: 0, refresh: false } })
    await cluster.replicated()
    await cluster.cutReplication()
    const storedAt = performance.now()
    await member?.ask('delete', { keys })
    await cluster.killPrimary()
    await cluster.promoteReplica('at once')
    stage.mended()
    const readAll = () => Promise.all(stage.members.map(each => each.ask('getOrSet', { keys, plan: { takesMs: 20 } })))
    const readUntil = async (endsAt: number): Promise<number> => {
      let reads = 0
      while (performance.now() < endsAt) {
        const answers = await readAll()
        reads += answers.flat().length
        await passed(100)
      }
      return reads
    }
    const early = await readUntil(performance.now() + replayedMs)
    const returned = await stage.checkpoint()
    const late = await readUntil(storedAt + ttlMs + 200)
    const measured = await stage.finish()
    return {
      ...measured,
      notPromised: `${returned} of ${early} reads within 1 s of the promotion got a value whose delete the failover had lost; none of the ${late} later ones did`,
    }
  },
}

export const clusterRows: readonly Row[] = [migration, orderly, lossy]
