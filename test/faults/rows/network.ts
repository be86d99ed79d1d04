import { setTimeout as passed } from 'node:timers/promises'
import type { Row } from '../measured.ts'
import { Stage } from '../stage.ts'
import { cutRow } from './cuts.ts'

const { processes } = Stage

const swallowed: Row = {
  name: 'replies-swallowed',
  title: 'replies swallowed, then reset',
  recoveredFrom: 'from the reset',
  async run(size) {
    await using stage = await Stage.open(size, { proxied: true })
    await stage.startTraffic()
    const rounds = size === 'full' ? 20 : 2
    for (let round = 0; round < rounds; round++) {
      stage.proxy.deafen('replies')
      // The process that hears nothing loads for itself; the others coordinate.
      await stage.stampede('while one process hears nothing', 2)
      stage.proxy.resetAll()
      if (round === rounds - 1) stage.mended()
      await passed(500)
    }
    await passed(1000)
    await stage.stampede('afterwards', 1)
    return await stage.finish({ notes: [`${rounds} times`] })
  },
}

const late: Row = {
  name: 'late-commands',
  title: 'commands that execute after their caller timed out',
  recoveredFrom: 'from the last release',
  async run(size) {
    await using stage = await Stage.open(size, { proxied: true, options: { commandTimeout: '100ms', storeBudget: '250ms' } })
    await stage.startTraffic({ callers: 10 })
    const rounds = size === 'full' ? 100 : 6
    for (let round = 0; round < rounds; round++) {
      // Some commands are late for their callers, others only nearly so.
      stage.proxy.hold(round % 3 === 2 ? 'replies' : 'requests')
      await passed(60 + (round % 5) * 60)
      stage.proxy.release()
      if (round === rounds - 1) stage.mended()
      await passed(100)
    }
    await passed(1000)
    return await stage.finish({ notes: [`held back ${rounds} times`] })
  },
}

const abandoned: Row = {
  name: 'lost-connections',
  title: 'connections lost with commands on their way, which arrive later',
  recoveredFrom: 'from the last release',
  async run(size) {
    await using stage = await Stage.open(size, { proxied: true, options: { commandTimeout: '300ms', storeBudget: '600ms' } })
    // One process writes and loses its connections; what it writes must not outlive what the others revoke.
    await stage.startTraffic({ callers: 12, pauseMs: 4, shares: { set: 20, delete: 10, expire: 0 } })
    const rounds = size === 'full' ? 100 : 8
    for (let round = 0; round < rounds; round++) {
      stage.proxy.hold('requests')
      await passed(20)
      stage.proxy.hangUp()
      await passed(10 + (round % 5) * 20)
      stage.proxy.release()
      if (round === rounds - 1) stage.mended()
      await passed(150)
    }
    await passed(500)
    return await stage.finish({ notes: [`lost ${rounds} times`] })
  },
}

const slow: Row = {
  name: 'slow-network',
  title: 'replies 80 ms late, requests 30 ms',
  async run(size) {
    await using stage = await Stage.open(size, { proxied: true })
    await stage.startTraffic({ callers: 10 })
    stage.proxy.delay('requests', 30)
    stage.proxy.delay('replies', 80)
    const rounds = size === 'full' ? 10 : 2
    for (let round = 0; round < rounds; round++) await stage.stampede('meanwhile', processes)
    return await stage.finish()
  },
}

export const networkRows: readonly Row[] = [swallowed, cutRow, late, abandoned, slow]
