import type { CommandName, Commands, FromMember, ToMember } from './messages.ts'
import { Gates } from './gates.ts'
import { WorkerCache } from './worker-cache.ts'

/** One of the fleet's processes. It lives as long as its parent holds the channel open. */
const caches = new Map<string, WorkerCache>()
const gates = new Gates()

type Handlers = { [Name in CommandName]: (request: Commands[Name]['request']) => Promise<Commands[Name]['reply']> }

const handlers: Handlers = {
  async open(request) {
    const cache = new WorkerCache(request, gates, tell)
    caches.set(request.namespace, cache)
    await cache.ready()
  },
  read: request => cacheOf(request).read(request),
  traffic: request => cacheOf(request).traffic(request),
  get: request => cacheOf(request).get(request.keys),
  set: request => cacheOf(request).set(request.keys, request.value),
  delete: request => cacheOf(request).delete(request.keys),
  expire: request => cacheOf(request).expire(request.keys),
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
}

function cacheOf({ namespace }: { readonly namespace: string }): WorkerCache {
  const cache = caches.get(namespace)
  if (cache === undefined) throw new Error(`no cache of ${namespace} is open`)
  return cache
}

function tell(message: FromMember): void {
  if (process.connected) process.send?.(message)
}

async function handle({ id, command, request }: ToMember): Promise<void> {
  try {
    const reply: unknown = await (handlers[command] as (request: unknown) => Promise<unknown>)(request)
    tell({ kind: 'reply', id, reply })
  } catch (error) {
    tell({ kind: 'failed', id, message: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}

process.on('disconnect', () => process.exit())
process.on('message', (message: ToMember) => void handle(message))
tell({ kind: 'ready' })
