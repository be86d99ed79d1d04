import { Cluster, Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cache, createCache } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { Keys } from '../../src/redis/keys.ts'
import { runCli } from '../cli-run.ts'
import { until } from '../redis/fixture.ts'
import { type RedisCluster, startCluster } from '../redis-server.ts'

let cluster: RedisCluster
let cache: Cache
let client: Cluster
beforeAll(async () => {
  cluster = await startCluster({ primaries: 3 })
  client = new Cluster(cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })))
  cache = createCache({ namespace: 'shop', store: redisStore(client), commandTimeout: '10s', storeBudget: '20s' })
  for (let i = 0; i < 30; i++) await cache.set(`user:${i}`, { i })
})
afterAll(async () => {
  await cache.close()
  client.disconnect()
  await cluster.stop()
})

describe('the command line and a cluster', () => {
  const cli = (...args: string[]) => runCli(args, { env: { REDIS_URL: cluster.nodes[0]!.url } })

  it('lists the keys of all nodes', async () => {
    const { stdout } = await cli('keys', '-n', 'shop', '--json')
    const { entries, complete } = JSON.parse(stdout) as { entries: unknown[]; complete: boolean }
    expect({ count: entries.length, complete }).toEqual({ count: 30, complete: true })
  })

  it('inspects and deletes keys wherever they are', async () => {
    for (const key of ['user:1', 'user:2', 'user:3', 'user:4']) {
      expect((await cli('inspect', key, '-n', 'shop')).stdout).toMatch(/^value +object with 1 property/m)
    }
    expect((await cli('delete', 'user:1', 'user:2', 'user:3', '-n', 'shop')).exitCode).toBe(0)
    expect(await Promise.all([1, 2, 3, 4].map(i => cache.has(`user:${i}`)))).toEqual([false, false, false, true])
  })

  it('writes, when the doctor is told to', async () => {
    const { stdout } = await cli('doctor', '--write', '--json')
    const { findings } = JSON.parse(stdout) as { findings: { check: string; state: string }[] }
    expect(findings.find(({ check }) => check === 'write probe')?.state).toBe('ok')
  })
})

describe('the command line while a slot moves to another node', () => {
  const keys = new Keys('shop', '', 0, 512)
  const key = { key: 'user:20', version: 0 }
  const name = keys.value(key)
  const slot = keys.slot(key)
  const admins: Redis[] = []
  let from: Redis
  let to: Redis

  /** The slot is on its way, and so is this key; those of its versions that are not there may be at either end. */
  beforeAll(async () => {
    admins.push(...cluster.nodes.map(({ url }) => new Redis(url)))
    const holders = await Promise.all(admins.map(admin => admin.get(name).catch(() => null)))
    from = admins.find((_, place) => holders[place] !== null) as Redis
    to = admins.find(admin => admin !== from) as Redis
    await cache.set('user:20', { i: 20 }, { version: 3, tags: ['seen'] })
    const [fromId, toId] = await Promise.all([from, to].map(node => node.call('CLUSTER', 'MYID')))
    await to.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId as string)
    await from.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId as string)
    await from.call('MIGRATE', '127.0.0.1', to.options.port as number, name, 0, 1_000)
  })
  afterAll(() => {
    for (const admin of admins) admin.disconnect()
  })

  it.each([
    ['by way of the node that the slot comes from', () => from],
    ['by way of the one that it goes to', () => to],
  ])('%s', async (_, way) => {
    const env = { REDIS_URL: `redis://127.0.0.1:${way().options.port}` }
    const moved = await runCli(['inspect', 'user:20', '-n', 'shop'], { env })
    expect(moved).toMatchObject({ exitCode: 0, stderr: '' })
    expect(moved.stdout).toMatch(/^value +object with 1 property/m)
    expect(moved.stdout).toMatch(/also stored: 3 /)
    const waiting = await runCli(['inspect', 'user:20', '--key-version', '3', '-n', 'shop'], { env })
    expect(waiting.stdout).toMatch(/^validity +nothing has invalidated it[^]*^value +object with 1 property/m)
    const listed = await runCli(['keys', 'user:20', '-n', 'shop', '--json'], { env })
    const { entries } = JSON.parse(listed.stdout) as { entries: { version: number }[] }
    expect(entries.map(({ version }) => version).toSorted((a, b) => a - b)).toEqual([0, 3])
    expect((await runCli(['keys'], { env })).exitCode).toBe(0)
    const { stdout } = await runCli(['doctor', '--json'], { env })
    const { findings } = JSON.parse(stdout) as { findings: { check: string; state: string }[] }
    expect(findings.filter(({ state }) => state === 'unknown' || state === 'problem').map(({ check }) => check)).toEqual([
      'eviction policy',
      'maxmemory',
    ])
    expect((await runCli(['top', '--frames', '1', '--json'], { env })).stderr).toBe('')
  })

  it('does not ask not to touch what it looks at: Redis 8.0.2 and Valkey 8.1.1 crash then', async () => {
    const watching = await admins[0]!.duplicate().monitor()
    const commands: string[] = []
    watching.on('monitor', (_time: string, args: string[]) => void commands.push(args.join(' ').toUpperCase()))
    await runCli(['inspect', 'user:20', '-n', 'shop'], { env: { REDIS_URL: cluster.nodes[0]!.url } })
    await admins[0]!.echo('end of it')
    await until(() => commands.some(command => command.startsWith('ECHO')))
    expect(commands).toContain('HELLO')
    expect(commands.filter(command => command.includes('NO-TOUCH'))).toEqual([])
    watching.disconnect()
  })

  it('deletes a key once its slot has arrived', async () => {
    const env = { REDIS_URL: cluster.nodes[0]!.url }
    const other = keys.value({ ...key, version: 3 })
    await from.call('MIGRATE', '127.0.0.1', to.options.port as number, other, 0, 1_000)
    const id = (await to.call('CLUSTER', 'MYID')) as string
    for (const node of [to, from, ...admins]) await node.call('CLUSTER', 'SETSLOT', slot, 'NODE', id)
    expect(await runCli(['delete', 'user:20', '-n', 'shop'], { env })).toMatchObject({ exitCode: 0 })
    expect((await runCli(['inspect', 'user:20', '-n', 'shop'], { env })).exitCode).toBe(1)
  })
})

describe('the command line and a cluster that has lost a node', () => {
  it('answers from the nodes that live, or says which one does not', { timeout: 60_000 }, async () => {
    const broken = await startCluster({ primaries: 3, args: ['--cluster-node-timeout', '60000'] })
    const nodes = broken.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
    const filling = new Cluster(nodes)
    const filler = createCache({ namespace: 'cl', store: redisStore(filling), commandTimeout: '10s', storeBudget: '20s' })
    for (let i = 0; i < 30; i++) await filler.set(`user:${i}`, { i })
    await filler.close()
    filling.disconnect()
    const [alive, , dead] = broken.nodes as [(typeof broken.nodes)[0], unknown, (typeof broken.nodes)[0]]
    process.kill(dead.pid, 'SIGKILL')
    const env = { REDIS_URL: alive.url }
    try {
      const note = new RegExp(`^127.0.0.1:${dead.port}: Redis cannot be reached \\(E\\w+\\); its keys are left out\n`, 'm')
      for (const args of [['keys'], ['keys', '-n', 'cl']]) {
        const { exitCode, stdout, stderr } = await runCli([...args, '--json'], { env })
        const { complete, entries, namespaces } = JSON.parse(stdout) as Record<string, unknown[]>
        expect({ exitCode, complete }).toEqual({ exitCode: 0, complete: false })
        expect((entries ?? namespaces ?? []).length).toBeGreaterThan(0)
        expect(stderr).toMatch(note)
        // The record of the namespace lies on the last node.
        if (args.length === 1) continue
        expect(stderr).toContain('what was cleared or invalidated by a tag is not known')
        expect(new Set((entries as unknown as { freshness: string }[]).map(({ freshness }) => freshness))).toEqual(
          new Set(['unknown']),
        )
      }
      const told = new Set<string>()
      for (let i = 0; i < 30; i++) {
        const { exitCode, stderr } = await runCli(['inspect', `user:${i}`, '-n', 'cl'], { env })
        if (exitCode === 2) told.add(stderr)
      }
      expect([...told].some(line => line.includes(`127.0.0.1:${dead.port}: Redis cannot be reached`))).toBe(true)
    } finally {
      await broken.stop()
    }
  })
})
