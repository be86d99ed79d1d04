import { setTimeout as passed } from 'node:timers/promises'
import { until } from '../../fleet/until.ts'
import { mostLoads, type Row } from '../measured.ts'
import { Stage } from '../stage.ts'

const hourMs = 3_600_000

const holderPaused: Row = {
  name: 'holder-paused',
  title: 'SIGSTOP holder for 3 leases',
  recoveredFrom: 'from the pause to the next load',
  async run(size) {
    const leaseMs = 1000
    await using stage = await Stage.open(size, { options: { lease: leaseMs }, tellLoads: true })
    const [holder, ...others] = stage.members
    const { loads } = stage.fleet
    const keys = stage.freshKeys(size === 'full' ? 20 : 1)
    const delaysMs: number[] = []
    for (const key of keys) {
      const loadsOf = () => loads.filter(load => load.key === key)
      const held = holder?.ask('getOrSet', { keys: [key], times: 10, plan: { takesMs: 100 } })
      await until(() => loadsOf().length === 1, 'the holder to load')
      await holder?.pause()
      const pausedAt = performance.now()
      const waiting = others.map(member => member.ask('getOrSet', { keys: [key], times: 10, plan: { takesMs: 50 } }))
      await until(() => loadsOf().length === 2, 'another process to load')
      delaysMs.push(performance.now() - pausedAt)
      await Promise.all(waiting)
      await passed(Math.max(0, 3 * leaseMs - (performance.now() - pausedAt)))
      holder?.resume()
      await held
      // What the holder brings now is refused.
      const answers = await Promise.all(stage.members.map(member => member.ask('get', { keys: [key] })))
      for (const [answer] of answers) stage.expect(answer?.value?.process !== 1, 'the paused holder overwrote a newer value')
    }
    const measured = await stage.finish()
    return {
      ...measured,
      loads: [{ when: 'in all', most: mostLoads(stage.history, keys), allowed: 2 }],
      recoveryMs: Math.max(...delaysMs),
      // A process whose event loop stood still takes longer leases for a while: docs/protocol.md, "How long a lease runs".
      notes: [`${keys.length} times, lease ${leaseMs} ms, and up to ten times that once a holder has been paused`],
    }
  },
}

const clockOff: Row = {
  name: 'clock-off',
  title: 'client clock ± 1 h',
  async run(size) {
    const offsets = [0, hourMs, -hourMs]
    await using stage = await Stage.open(size, { differing: place => ({ clockOffsetMs: offsets[place] ?? 0 }) })
    await stage.startTraffic()
    const rounds = size === 'full' ? 100 : 5
    for (let round = 0; round < rounds; round++) await stage.stampede('in each stampede', 1)
    // A value that one of them stored is fresh for all of them, and then for none.
    const [key] = stage.freshKeys(1) as [number]
    for (const member of stage.members) {
      const options = { ttl: 5000, jitter: 0, refresh: false } as const
      await member.ask('getOrSet', { keys: [key], plan: { takesMs: 1 }, options: { ...options, forceFresh: true } })
      const answers = await Promise.all(
        stage.members.map(other => other.ask('getOrSet', { keys: [key], plan: { takesMs: 1 }, options })),
      )
      stage.expect(new Set(answers.map(([answer]) => answer?.value?.id)).size === 1, 'the processes disagree about what is fresh')
    }
    return await stage.finish()
  },
}

export const processRows: readonly Row[] = [holderPaused, clockOff]
