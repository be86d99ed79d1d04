import { EventEmitter } from 'node:events'
import type { Cluster, Redis, RedisOptions } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { resolveBreaker } from '../../../src/redis/breaker-options.ts'
import { ClusterRouter } from '../../../src/redis/cluster-router.ts'
import { LoopLag } from '../../../src/redis/loop-lag.ts'
import type { Detour } from '../../../src/redis/router.ts'
import type { StoreNode } from '../../../src/redis/store-node.ts'
import { virtualClock } from '../../../src/testing/virtual-clock.ts'

type Slots = Readonly<Record<number, readonly string[]>>

/** A client that never comes as far as a connection. */
class StillClient extends EventEmitter {
  status = 'wait'
  readonly options: RedisOptions
  readonly closed: string[]

  constructor(options: RedisOptions, closed: string[] = []) {
    super()
    this.options = options
    this.closed = closed
  }

  duplicate(settings: RedisOptions): StillClient {
    return new StillClient({ ...this.options, ...settings }, this.closed)
  }

  connect(): Promise<void> {
    return new Promise(() => {})
  }

  disconnect(): void {
    this.closed.push(`${this.options.host}:${this.options.port}`)
  }
}

/** A cluster client that learns `learns` the next time it asks for the slots. */
class Topology extends EventEmitter {
  status = 'ready'
  slots: string[][] = []
  learns: Slots
  asked = 0
  primaries: readonly string[] = ['127.0.0.1:7001', '127.0.0.1:7002']
  readonly options: { readonly redisOptions: RedisOptions; readonly natMap: unknown }
  readonly closed: string[] = []

  constructor(slots: Slots, natMap: unknown) {
    super()
    this.learns = slots
    this.options = { redisOptions: {}, natMap }
  }

  duplicate(): this {
    return this
  }

  connect(): Promise<void> {
    this.refreshSlotsCache()
    return Promise.resolve()
  }

  disconnect(): void {
    this.status = 'end'
  }

  nodes(): StillClient[] {
    return this.primaries.map(address => {
      const [host, port] = address.split(':') as [string, string]
      return new StillClient({ host, port: Number(port) }, this.closed)
    })
  }

  refreshSlotsCache(done?: () => void): void {
    this.asked++
    this.slots = []
    for (const [slot, owners] of Object.entries(this.learns)) this.slots[Number(slot)] = [...owners]
    this.emit('refresh')
    done?.()
  }
}

function open(slots: Slots, natMap?: unknown) {
  const clock = virtualClock()
  const topology = new Topology(slots, natMap)
  const guard = {
    credentials: undefined,
    settings: resolveBreaker({}),
    lag: new LoopLag(clock),
    onBreaker: () => {},
    onServerChange: () => {},
  }
  const faults: (string | undefined)[] = []
  const changed = (fault?: Error): void => void faults.push(fault?.message)
  const router = new ClusterRouter(topology as unknown as Cluster, 'leasehold:test', clock, changed, guard)
  const follow = (reply: string, hop = 0): Promise<Detour> => {
    const redirected = router.detour(1, Object.assign(new Error(reply), { name: 'ReplyError' }), hop)
    if (redirected === undefined) throw new Error(`${reply} is no redirection`)
    return clock.runUntilSettled(redirected)
  }
  return { clock, faults, follow, router, topology }
}

const portOf = (node: StoreNode | undefined): number | undefined => node?.reads.redis.options.port

describe('a server that sends a command elsewhere', () => {
  const slots = { 1: ['127.0.0.1:7001'], 2: ['127.0.0.1:7002'] }

  it('because the slot has moved to a server we know, is believed at once, and the slots are learnt anew', async () => {
    const { clock, follow, router, topology } = open(slots)
    router.open()
    topology.learns = { 1: ['127.0.0.1:7002'] }
    const { node, asking } = await follow('MOVED 1 127.0.0.1:7002')
    expect([portOf(node), asking, portOf(router.owner(1))]).toEqual([7002, false, 7002])
    await clock.advance(100)
    expect(topology.asked).toBe(2)
  })

  it('because the slot has moved to a server we do not know, is asked for the slots first', async () => {
    const { follow, router, topology } = open(slots)
    router.open()
    topology.learns = { 1: ['127.0.0.1:7003'] }
    const { node } = await follow('MOVED 1 127.0.0.1:7003')
    expect([portOf(node), topology.asked]).toEqual([7003, 2])
    expect(node).toBe(router.owner(1))
  })

  it('and is the only one to know of the other, is followed there all the same', async () => {
    const { follow, router, topology } = open(slots)
    router.open()
    topology.learns = { 2: ['127.0.0.1:7002'] }
    const { node, asking } = await follow('MOVED 1 127.0.0.1:7003')
    expect([portOf(node), asking, router.owner(1)]).toEqual([7003, false, undefined])
  })

  it('for this key alone, is followed with ASKING, and the slot stays whose it was', async () => {
    const { follow, router, topology } = open(slots)
    router.open()
    const { node, asking } = await follow('ASK 1 127.0.0.1:7003')
    expect([portOf(node), asking, portOf(router.owner(1)), topology.asked]).toEqual([7003, true, 7001, 1])
    expect((await follow('ASK 1 127.0.0.1:7003')).node, 'the same connections').toBe(node)
  })

  it('to nobody in particular, is asked again a moment later, and from the second time on for the slots too', async () => {
    const { clock, follow, router, topology } = open(slots)
    router.open()
    await clock.advance(1000)
    const startedAt = clock.now()
    expect(portOf((await follow('TRYAGAIN Multiple keys request during rehashing of slot')).node)).toBe(7001)
    expect([clock.now() - startedAt, topology.asked]).toEqual([5, 1])
    topology.learns = { 1: ['127.0.0.1:7002'] }
    expect(portOf((await follow('CLUSTERDOWN The cluster is down', 1)).node)).toBe(7002)
    expect(topology.asked).toBe(2)
  })

  it('again and again, is followed without a pause four times, then ever more slowly', async () => {
    const { clock, follow, router } = open(slots)
    router.open()
    const waits: number[] = []
    for (const hop of [0, 3, 4, 9]) {
      const startedAt = clock.now()
      await follow('ASK 1 127.0.0.1:7002', hop)
      waits.push(clock.now() - startedAt)
    }
    expect(waits).toEqual([0, 0, 50, 50])
  })

  it('when nobody has the slot any more, leaves the command with the reason', async () => {
    const { follow, router, topology } = open(slots)
    router.open()
    topology.learns = {}
    await expect(follow('CLUSTERDOWN Hash slot not served', 1)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      outcome: 'not-executed',
    })
  })

  it.each([
    ['a table', { '10.0.0.3:6379': { host: '127.0.0.1', port: 7002 } }],
    ['a function', (address: string) => (address === '10.0.0.3:6379' ? { host: '127.0.0.1', port: 7002 } : null)],
  ])('by its inner address, is understood by the client’s natMap: %s', async (_kind, natMap) => {
    const { follow, router } = open(slots, natMap)
    router.open()
    expect((await follow('MOVED 1 10.0.0.3:6379')).node).toBe(router.owner(2))
    expect(portOf((await follow('ASK 1 127.0.0.1:7009')).node), 'an address that is not in it').toBe(7009)
  })

  it('says so in a redirection: other errors are none', () => {
    const { router } = open(slots)
    expect(router.detour(1, Object.assign(new Error('OOM command not allowed'), { name: 'ReplyError' }), 0)).toBeUndefined()
  })
})

describe('a server without slots', () => {
  it('is kept for half a minute after a command was sent there, then its connections are closed', async () => {
    const { clock, follow, router, topology } = open({ 1: ['127.0.0.1:7001'] })
    router.open()
    await follow('ASK 1 127.0.0.1:7003')
    const closedAfter = async (ms: number): Promise<string[]> => {
      await clock.advance(ms)
      topology.refreshSlotsCache()
      return topology.closed.filter(address => address === '127.0.0.1:7003')
    }
    expect(await closedAfter(29_000)).toEqual([])
    await follow('ASK 1 127.0.0.1:7003')
    expect(await closedAfter(29_000)).toEqual([])
    expect(await closedAfter(1000)).toEqual(['127.0.0.1:7003', '127.0.0.1:7003'])
  })

  it('is closed at once when it has been replaced', () => {
    const { router, topology } = open({ 1: ['127.0.0.1:7001'] })
    router.open()
    topology.learns = { 1: ['127.0.0.1:7002'] }
    topology.refreshSlotsCache()
    expect(topology.closed).toEqual(['127.0.0.1:7001', '127.0.0.1:7001'])
    expect(portOf(router.owner(1))).toBe(7002)
  })
})

describe('the slots', () => {
  it('are asked for ten times a second at most, however many commands are sent elsewhere', async () => {
    const { clock, follow, router, topology } = open({ 1: ['127.0.0.1:7001'], 2: ['127.0.0.1:7002'] })
    router.open()
    for (let times = 0; times < 50; times++) {
      await follow('MOVED 1 127.0.0.1:7002')
      await clock.advance(10)
    }
    expect(topology.asked).toBeGreaterThan(3)
    expect(topology.asked).toBeLessThanOrEqual(7)
  })

  it('that cannot be learnt leave a fault that says what the last server said', async () => {
    const { faults, router, topology } = open({})
    const refusal = Object.assign(new Error('WRONGPASS invalid username-password pair'), { name: 'ReplyError' })
    topology.emit('error', Object.assign(new Error('Failed to refresh slots cache.'), { lastNodeError: refusal }))
    expect(router.firstAttempt).toBeUndefined()
    expect(router.fault).toMatchObject({ code: 'STORE_REFUSED', outcome: 'not-executed' })
    expect(faults).toEqual([router.fault.message])
  })

  it('are learnt no more once it is closed', async () => {
    const { router, topology } = open({ 1: ['127.0.0.1:7001'] })
    router.open()
    await router.close()
    topology.refreshSlotsCache()
    expect([topology.status, router.owner(1)]).toEqual(['end', undefined])
    expect(topology.closed).toEqual(['127.0.0.1:7001', '127.0.0.1:7001'])
  })
})

describe('a cluster that names no primary', () => {
  it('is not known, says why, and is used from the moment it names one', () => {
    const { faults, router, topology } = open({})
    topology.primaries = []
    router.open()
    expect([router.known, router.usable, router.owner(1), router.firstAttempt]).toEqual([false, false, undefined, undefined])
    expect(router.fault).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('names no primary') as string,
    })
    expect(faults).toEqual([router.fault.message])
    topology.learns = { 1: ['127.0.0.1:7001'] }
    topology.primaries = ['127.0.0.1:7001']
    topology.refreshSlotsCache()
    expect([router.known, portOf(router.owner(1)), faults.at(-1)]).toEqual([true, 7001, undefined])
  })

  it('any more is not usable, and a subscriber can still be made and moved', () => {
    const { router, topology } = open({ 1: ['127.0.0.1:7001'] })
    router.open()
    topology.learns = {}
    topology.primaries = []
    topology.refreshSlotsCache()
    expect([router.known, router.usable]).toEqual([true, false])
    expect(router.createAnywhere({ connectionName: 'bus' }).options).toMatchObject({ port: 7001, connectionName: 'bus' })
    const lost = new StillClient({ host: '127.0.0.1', port: 7001 })
    expect(() => router.moveAnywhere(lost as unknown as Redis)).not.toThrow()
  })
})

describe('a subscriber that has lost its server', () => {
  it('tries another one', () => {
    const { router } = open({ 1: ['127.0.0.1:7001'] })
    router.open()
    const lost = new StillClient({ host: '127.0.0.1', port: 7001 })
    router.moveAnywhere(lost as unknown as Redis)
    expect(lost.options).toMatchObject({ host: '127.0.0.1', port: 7002 })
  })
})
