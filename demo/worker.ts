import type { Contender } from './contender.ts'
import type { FromWorker, Share, ToWorker } from './messages.ts'
import { openContender } from './open-contender.ts'
import { Products, warmUpProduct } from './products.ts'
import type { Scene } from './scenes.ts'
import { ShareRun } from './share-run.ts'
import { WorkerMetrics } from './worker-metrics.ts'

/** One of the fleet's processes. It lives as long as the demo holds its channel open. */
const tickMs = 100
const warmUpReads = 100

let products: Products | undefined
let redisUrl: string | undefined
let metrics: WorkerMetrics | undefined
let opened: { readonly contender: Contender; readonly scene: Scene; readonly share: Share } | undefined

process.on('disconnect', () => process.exit())
if (!process.connected) process.exit()
process.on('SIGINT', () => {})
process.on('message', (message: ToWorker) => {
  handle(message).then(tell, (error: unknown) => tell({ kind: 'failed', message: describe(error) }))
})

function tell(message: FromWorker): void {
  process.send?.(message)
}

async function handle(message: ToWorker): Promise<FromWorker> {
  if (message.kind === 'connect') {
    products = new Products(message.databaseUrl, message.schema)
    redisUrl = message.redisUrl
    await products.query(warmUpProduct)
    return { kind: 'done' }
  }
  if (message.kind === 'serve metrics') {
    metrics = new WorkerMetrics()
    if (message.ofRedis && redisUrl !== undefined) metrics.watchRedis(redisUrl)
    return { kind: 'serving metrics', url: await metrics.serve(message.port) }
  }
  if (products === undefined) throw new Error(`${message.kind} before connect`)
  if (message.kind === 'open') return await open(message, products)
  if (opened === undefined) throw new Error(`${message.kind} before open`)
  const { contender, scene, share } = opened
  switch (message.kind) {
    case 'warm':
      // At the source's usual pace, since Leasehold refreshes by how long the last load took.
      products.beginScene({ usualMs: scene.latency.usualMs }, 0)
      await Promise.all(message.products.map(product => contender.read(product)))
      return { kind: 'done' }
    case 'run': {
      products.beginScene(scene.latency, message.startAt)
      const edited = scene.edits.map(edit => edit.product)
      const run = new ShareRun(contender, products, share, edited, message.startAt)
      const ticking = setInterval(() => tell({ kind: 'tick', counts: run.counts }), tickMs)
      const result = await run.run().finally(() => clearInterval(ticking))
      return { kind: 'result', result }
    }
    case 'close':
      for (const product of message.products) await contender.remove(product)
      await contender.close()
      opened = undefined
      return { kind: 'done' }
  }
}

/** Connections are made and code is warmed up before the clock runs, for both contenders alike. */
async function open(message: Extract<ToWorker, { kind: 'open' }>, source: Products): Promise<FromWorker> {
  const { namespace, scene, share } = message
  source.beginScene({ usualMs: 0 }, 0)
  const { ttlSeconds } = scene
  const watch = metrics?.watchCache.bind(metrics)
  const contender = openContender(message.contender, { products: source, redisUrl, namespace, ttlSeconds, watch })
  opened = { contender, scene, share }
  for (let read = 0; read < warmUpReads; read++) await contender.read(warmUpProduct)
  return { kind: 'done' }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
