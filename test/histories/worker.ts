import { setTimeout as passed } from 'node:timers/promises'
import { getHeapCodeStatistics } from 'node:v8'
import { Cluster } from 'ioredis'
import { createCache, type Cache, type StoreProvider } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { seededRandom } from '../../src/testing/index.ts'
import { EventTally } from '../fleet/event-tally.ts'
import { sharedNowMs } from '../fleet/messages.ts'
import { serve } from '../fleet/serve.ts'
import { until } from '../fleet/until.ts'
import type { Commands, LoadNotice, OpenRequest } from './messages.ts'
import { RecordedCache, type Answered } from './recorded-cache.ts'
import { Recorder } from './recorder.ts'
import { Traffic } from './traffic.ts'

interface Open {
  readonly cache: Cache
  readonly recorded: RecordedCache
  readonly recorder: Recorder
  readonly tally: EventTally
}

let opened: Open | undefined
let traffic: Traffic | undefined
let running: Promise<void> | undefined
const unhandled: string[] = []

process.on('unhandledRejection', reason => unhandled.push(`unhandled rejection: ${String(reason)}`))
process.on('uncaughtException', error => unhandled.push(`uncaught exception: ${error.stack ?? error.message}`))

const tell = serve<Commands, LoadNotice>({
  async open(request) {
    opened = open(request)
    const { tally } = opened
    await until(() => tally.standing.size === 2, 'the store and the bus to come up')
  },
  async start(plan) {
    traffic = new Traffic(subject().recorded, plan, seededRandom(plan.seed))
    running = traffic.run()
  },
  async progress() {
    return { made: traffic?.made ?? 0, running: subject().recorded.running }
  },
  async stop() {
    traffic?.stop()
    await running
    const { recorded } = subject()
    await until(() => recorded.running === 0, 'every call to settle')
  },
  getOrSet: ({ keys, times = 1, plan, options }) =>
    each(
      keys.flatMap(key => Array.from({ length: times }, () => key)),
      key => subject().recorded.getOrSet(key, plan, options),
    ),
  get: ({ keys }) => each(keys, key => subject().recorded.get(key)),
  delete: ({ keys }) => each(keys, key => subject().recorded.delete(key)),
  set: ({ keys }) => each(keys, key => subject().recorded.set(key)),
  async endPart() {
    subject().recorder.endPart()
  },
  async tallies() {
    return { events: subject().tally.take(), errors: subject().recorded.takeErrors(), unhandled: unhandled.splice(0) }
  },
  async usage() {
    const { gc } = globalThis
    if (gc === undefined) throw new Error('start with --expose-gc')
    // Twice, with a pause for what finalizers and closing sockets leave.
    gc()
    await passed(20)
    gc()
    const { heapUsed, external } = process.memoryUsage()
    const { code_and_metadata_size: machineCode, bytecode_and_metadata_size: bytecode } = getHeapCodeStatistics()
    const codeBytes = machineCode + bytecode
    const resources: Record<string, number> = {}
    for (const type of process.getActiveResourcesInfo()) resources[type] = (resources[type] ?? 0) + 1
    return { heapBytes: heapUsed - codeBytes, codeBytes, externalBytes: external, resources }
  },
  async close() {
    const { cache, recorder } = subject()
    await cache.close()
    recorder.close()
  },
})

function each(keys: readonly number[], call: (key: number) => Promise<Answered>): Promise<Answered[]> {
  return Promise.all(keys.map(call))
}

function subject(): Open {
  if (opened === undefined) throw new Error('nothing was opened')
  return opened
}

function open(request: OpenRequest): Open {
  const { process: number, namespace, redisUrls, folder, options, paddingBytes, tellLoads = false, clockOffsetMs = 0 } = request
  if (clockOffsetMs !== 0) moveWallClock(clockOffsetMs)
  const cache = createCache({ ...options, namespace, store: storeAt(redisUrls) })
  const recorder = new Recorder(folder, number)
  const recorded = new RecordedCache({
    cache,
    process: number,
    record: operation => recorder.add(operation),
    ...(tellLoads ? { onLoad: (key: number) => tell({ process: number, key, at: sharedNowMs() }) } : {}),
    ...(paddingBytes === undefined ? {} : { paddingBytes }),
  })
  return { cache, recorded, recorder, tally: new EventTally(cache) }
}

function storeAt(urls: readonly string[]): StoreProvider {
  const [first = '', ...others] = urls
  if (others.length === 0) return redisStore(first)
  return redisStore(
    new Cluster(
      urls.map(url => ({ host: '127.0.0.1', port: Number(new URL(url).port) })),
      { lazyConnect: true },
    ),
  )
}

/** For everything in this process. */
function moveWallClock(byMs: number): void {
  const now = Date.now.bind(Date)
  Date.now = () => now() + byMs
}
