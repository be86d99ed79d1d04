import { isDeepStrictEqual } from 'node:util'
import type { Call } from '../calls/call.ts'
import { decodeValue, openEntry, recordBase, undecodable, type Engine } from '../engine.ts'
import { entryTimes } from '../flights/entry-times.ts'
import { runLoader } from '../flights/load-attempt.ts'
import type { Entry } from '../ports.ts'
import { LoaderTags } from '../tags/loader-tags.ts'

const mostAtOnce = 4

/** Loads a sample of what was answered from the store once more, behind the callers, and tells whether both are the same. Nothing is stored. */
export class Shadow {
  readonly #share: number
  #running = 0

  constructor(share: number) {
    this.#share = share
  }

  offer(engine: Engine, call: Call, entry: Entry): void {
    // A load of many keys cannot be repeated for one of them.
    if (call.batch !== undefined || engine.phase !== 'open' || this.#running >= mostAtOnce) return
    if (engine.random.next() >= this.#share) return
    this.#running++
    void this.#compare(engine, call, entry).finally(() => this.#running--)
  }

  async #compare(engine: Engine, call: Call, entry: Entry): Promise<void> {
    const ageMs = Math.max(0, engine.store.now(call) - entry.createdAt)
    const outcome = await compared(engine, call, entry)
    if (engine.events.topics.shadow.heard) engine.events.emit('shadow', { ...recordBase(engine, call), outcome, ageMs })
  }
}

async function compared(engine: Engine, call: Call, entry: Entry): Promise<'same' | 'different' | 'superseded' | 'failed'> {
  const { clock, codec, random, store } = engine
  const { key, version, policy } = call
  const abort = new AbortController()
  const timer = clock.setTimeout(
    () => abort.abort(new DOMException('the comparison took too long', 'TimeoutError')),
    policy.hardTimeoutMs,
  )
  clock.unref(timer)
  try {
    const context = {
      key,
      signal: abort.signal,
      background: true,
      tags: new LoaderTags(key, policy.tags),
      stale: () => undefined,
    }
    const loaded = await runLoader(engine.flights, call.id, call.loader, context)
    if (loaded.kind === 'failed' || loaded.kind === 'not-modified') return 'failed'
    if (loaded.kind === 'value') {
      // What callers get came through the codec, so the other side goes the same way.
      const times = entryTimes(policy, policy.ttlMs, store.now(call), random, 0)
      const written = openEntry(engine, call, codec.encode({ key, version }, loaded.value, times, random.token()))
      const [cached, fresh] = [
        decodeValue(engine, call, entry),
        'unreadable' in written ? undecodable : decodeValue(engine, call, written),
      ]
      if (isDeepStrictEqual(cached, fresh)) return 'same'
    }
    // Replaced or deleted while the loader ran: then the difference is none.
    const now = await store.read(call, engine.options.commandTimeoutMs)
    const standing = now === null ? undefined : openEntry(engine, call, now)
    return standing !== undefined && standing.token?.equals(entry.token) === true ? 'different' : 'superseded'
  } catch {
    return 'failed'
  } finally {
    clock.clearTimeout(timer)
  }
}
