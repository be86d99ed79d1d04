import { Gates } from './gates.ts'
import type { Commands, LoadNotice } from './messages.ts'
import { serve } from './serve.ts'
import { WorkerCache } from './worker-cache.ts'

/** One of the fleet's processes. It lives as long as its parent holds the channel open. */
const caches = new Map<string, WorkerCache>()
const gates = new Gates()

const tell = serve<Commands, LoadNotice>({
  async open(request) {
    const cache = new WorkerCache(request, gates, tell)
    caches.set(request.namespace, cache)
    await cache.ready()
  },
  read: request => cacheOf(request).read(request),
  traffic: request => cacheOf(request).traffic(request),
  readMany: request => cacheOf(request).readMany(request),
  get: request => cacheOf(request).get(request.keys),
  set: request => cacheOf(request).set(request.keys, request.value),
  delete: request => cacheOf(request).delete(request.keys),
  expire: request => cacheOf(request).expire(request.keys),
  remember: request => cacheOf(request).remember(request.key),
  untilForgotten: request => cacheOf(request).untilForgotten(request.key),
  async source(request) {
    cacheOf(request).source = request.value
  },
  async openGate({ gate }) {
    gates.open(gate)
  },
  async records(request) {
    return cacheOf(request).takeRecords()
  },
  async close(request) {
    await cacheOf(request).close()
    caches.delete(request.namespace)
  },
})

function cacheOf({ namespace }: { readonly namespace: string }): WorkerCache {
  const cache = caches.get(namespace)
  if (cache === undefined) throw new Error(`no cache of ${namespace} is open`)
  return cache
}
