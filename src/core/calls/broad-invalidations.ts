import { recordBase, reportStoreError, type Engine } from '../engine.ts'
import type { StoreError } from '../errors.ts'
import type { StoreErrorRecord } from '../events.ts'
import { mostTagsPerCommand } from '../tags/tag-table.ts'
import { traced } from '../tracer.ts'

/** Both commands may be repeated freely, so one whose reply was lost is sent again. */
const tries = 2
const connectPatienceMs = 2_000
/** What stands for the whole namespace where a key is asked for. */
const wholeNamespace = { key: '', version: 0 } as const

/** Invalidates everything with one of these tags. When it resolves, no load that began before will answer a later call. */
export function invalidateTags(engine: Engine, tags: readonly string[]): Promise<void> {
  return traced(engine.tracer, 'invalidateTags', { outcome: undefined }, () => bumpTags(engine, tags))
}

async function bumpTags(engine: Engine, tags: readonly string[]): Promise<void> {
  const startedAt = engine.clock.now()
  for (let start = 0; start < tags.length; start += mostTagsPerCommand) {
    const some = tags.slice(start, start + mostTagsPerCommand)
    await send(engine, 'bump-tags', timeoutMs => {
      engine.ownInvalidations.noteTags(some)
      engine.outage.copies.revokeAll()
      engine.local?.changeTags(some)
      return engine.store.bumpTags({ tags: some, timeoutMs })
    })
    // A read that was on its way meanwhile may have brought an old value.
    engine.local?.changeTags(some)
  }
  report(engine, 'tags', tags, startedAt)
}

/** Invalidates the namespace. When it resolves, no load that began before will answer a later call. */
export function clearNamespace(engine: Engine): Promise<void> {
  return traced(engine.tracer, 'clear', { outcome: undefined }, () => raiseGeneration(engine))
}

async function raiseGeneration(engine: Engine): Promise<void> {
  const startedAt = engine.clock.now()
  await send(engine, 'clear', timeoutMs => {
    engine.ownInvalidations.noteClear()
    engine.outage.copies.revokeAll()
    engine.local?.changeAll()
    return engine.store.clear(timeoutMs)
  })
  engine.local?.changeAll()
  report(engine, 'clear', [], startedAt)
}

async function send(
  engine: Engine,
  command: StoreErrorRecord['command'],
  act: (timeoutMs: number) => Promise<void>,
): Promise<void> {
  const { commandTimeoutMs } = engine.options
  if (Number.isNaN(engine.store.now(wholeNamespace))) await connected(engine, command)
  let failure: StoreError | undefined
  for (let left = tries; left > 0; left--) {
    try {
      return await act(commandTimeoutMs)
    } catch (error) {
      const latest = reportStoreError(engine, command, wholeNamespace, error)
      // That this try was not executed says nothing about an earlier one.
      if (failure?.outcome !== 'unknown' || latest.outcome === 'unknown') failure = latest
      if (latest.outcome === 'not-executed') break
    }
  }
  throw failure
}

/** A process that invalidates as it starts should not be refused because connecting takes longer than a command may. */
async function connected(engine: Engine, command: StoreErrorRecord['command']): Promise<void> {
  try {
    await engine.store.ready(wholeNamespace, Math.max(engine.options.commandTimeoutMs, connectPatienceMs))
  } catch (error) {
    throw reportStoreError(engine, command, wholeNamespace, error)
  }
}

function report(engine: Engine, operation: 'tags' | 'clear', tags: readonly string[], startedAt: number): void {
  if (!engine.events.topics.invalidate.heard) return
  const durationMs = engine.clock.now() - startedAt
  engine.events.emit('invalidate', { ...recordBase(engine, wholeNamespace), operation, outcome: 'applied', tags, durationMs })
}
