import { corrupt } from './corrupt.ts'
import type { TimedFault } from './plan.ts'
import type { SimulatedProcess } from './process.ts'
import { tableId } from './server.ts'
import type { World } from './world.ts'
import { close } from './workload.ts'

interface Fleet {
  readonly world: World
  /** The process that stands in this place now, if one does. */
  standing(place: number): SimulatedProcess | undefined
  replace(place: number): void
}

/** Lets a fault happen. Only those that hit something count. */
export function befall({ world, standing, replace }: Fleet, fault: TimedFault): void {
  const { server, scheduler } = world
  const hit = (some = true, detail = ''): void => {
    if (some) world.coverage.count(`fault ${fault.kind}${detail}`)
    world.note('', () => `FAULT ${fault.kind}${detail} ${JSON.stringify(fault)}${some ? '' : ' (hits nothing)'}`)
  }
  switch (fault.kind) {
    case 'pause': {
      const process = standing(fault.process)
      hit(process?.state === 'running', holdsLease(world, process) ? ' of a holder' : '')
      return process?.pause(fault.ms, fault.first)
    }
    case 'kill': {
      const process = standing(fault.process)
      hit(process !== undefined, holdsLease(world, process) ? ' of a holder' : '')
      process?.kill()
      if (process !== undefined && fault.restartMs !== undefined) scheduler.after(fault.restartMs, () => replace(fault.process))
      return
    }
    case 'close': {
      const process = standing(fault.process)
      hit(process !== undefined)
      if (process === undefined) return
      // As any other call, it waits while the process is paused.
      scheduler.after(0, () => close(process), process)
      return void scheduler.after(fault.restartMs, () => replace(fault.process))
    }
    case 'bus-down': {
      const bus = standing(fault.process)?.link.bus
      hit(bus?.live === true)
      return bus?.cut(fault.ms, fault.noticedMs)
    }
    case 'bus-silent': {
      const bus = standing(fault.process)?.link.bus
      hit(bus?.live === true)
      return bus?.silence(fault.ms)
    }
    case 'disconnect': {
      const link = standing(fault.process)?.link
      hit(link?.connected === true)
      link?.disconnect()
      return void scheduler.after(fault.ms, () => server.up && link?.reconnect())
    }
    case 'stuck': {
      const link = standing(fault.process)?.link
      hit(link !== undefined)
      return link?.stick(fault.ms)
    }
    case 'evict-value':
      return hit(server.tables.evict('value', tableId(fault)))
    case 'evict-lease': {
      const held = server.tables.holderAt(tableId(fault), server.now) !== undefined
      return hit(server.tables.evict('lease', tableId(fault)), held ? ' held' : ' marker')
    }
    case 'evict-record':
      return hit(server.tables.evictFromNamespace('record'))
    case 'evict-tags':
      return hit(server.tables.evictFromNamespace('tags'))
    case 'evict-all':
      world.changes.restart(0)
      return hit(server.tables.evictAll())
    case 'full':
      hit()
      server.tables.full = true
      return void scheduler.after(fault.ms, () => (server.tables.full = false))
    case 'snapshot':
      hit()
      server.snapshot()
      world.snapshotSeq = world.nextSeq()
      world.snapshotChanges = world.changes.number
      return
    case 'restart':
      hit(server.up, ` ${fault.from}`)
      return restart(world, fault.from, fault.downMs)
    case 'clock-step':
      hit(true, fault.ms < 0 ? ' back' : ' forward')
      return server.stepClock(fault.ms)
    case 'corrupt':
      return hit(corrupt(world, fault, fault.damage), ` ${fault.damage}`)
  }
}

function restart(world: World, from: 'empty' | 'snapshot', downMs: number): void {
  const { server, scheduler, processes } = world
  if (!server.up) return
  server.up = false
  for (const process of processes) process.link.disconnect()
  scheduler.after(downMs, () => {
    server.up = true
    server.restart(from)
    world.note('store', () => `is back, ${from}`)
    if (from === 'snapshot') {
      world.restoredSeq = world.nextSeq()
      world.history.undoSince(world.snapshotSeq)
      world.watch.forget()
      world.changes.undoSince(world.snapshotSeq)
    }
    world.changes.restart(from === 'snapshot' ? world.snapshotChanges : 0)
    for (const [index, process] of processes.entries()) scheduler.after(1 + index * 3, () => process.link.reconnect())
  })
}

function holdsLease(world: World, process: SimulatedProcess | undefined): boolean {
  if (process === undefined) return false
  return world.history.loads.some(({ grant, ...load }) => {
    if (grant === undefined || load.process !== process.name) return false
    return world.server.tables.holderAt(tableId(load), world.server.now)?.equals(grant.token) === true
  })
}
