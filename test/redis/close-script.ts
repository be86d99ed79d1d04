import { setTimeout as passed } from 'node:timers/promises'
import { Cluster } from 'ioredis'
import { createCache } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'

/** Run by itself: uses a server that is not there, closes, and prints what still keeps the process. */
const [kind = '', url = ''] = process.argv.slice(2)
const { hostname: host, port } = new URL(url)
const client = kind === 'cluster' ? new Cluster([{ host, port: Number(port) }], { lazyConnect: true }) : undefined
const before = new Set(process.getActiveResourcesInfo())
const cache = createCache({ namespace: 'test', store: redisStore(client ?? url) })
for (let call = 0; call < 3; call++) {
  await cache.getOrSet('key', () => 1)
  await passed(100)
}
await cache.close()
// Sockets that were just destroyed tell so in a later turn of the event loop.
await passed(100)
process.stdout.write(
  process
    .getActiveResourcesInfo()
    .filter(kept => !before.has(kept))
    .join(' '),
)
