import { recordBase, reportStoreError, type Engine } from '../engine.ts'
import type { StoreError } from '../errors.ts'
import type { StoreErrorRecord } from '../events.ts'
import { deferOrThrow, type WriteOutcome } from '../outage/defer.ts'
import type { Invalidation } from '../outage/invalidation.ts'
import { mostTagsPerCommand } from '../tags/tag-table.ts'
import { runOperation } from './operation.ts'
import { revokeAllHere, revokeTagsHere } from './revoke-here.ts'

/** Both commands may be repeated freely, so one whose reply was lost is sent again. */
const tries = 2
const connectPatienceMs = 2_000
/** What stands for the whole namespace where a key is asked for. */
const wholeNamespace = { key: '', version: 0 } as const

/** Invalidates everything with one of these tags. When it resolves, no load that began before will answer a later call. */
export function invalidateTags(engine: Engine, tags: readonly string[]): Promise<WriteOutcome> {
  return runOperation(engine, 'invalidateTags', { outcome: undefined }, () => bumpTags(engine, tags))
}

async function bumpTags(engine: Engine, tags: readonly string[]): Promise<WriteOutcome> {
  const startedAt = engine.clock.now()
  let outcome: WriteOutcome = 'applied'
  for (let start = 0; start < tags.length && outcome === 'applied'; start += mostTagsPerCommand) {
    const some = tags.slice(start, start + mostTagsPerCommand)
    const failure = await send(engine, 'bump-tags', tagInvalidations(some), timeoutMs => {
      revokeTagsHere(engine, some)
      return engine.store.bumpTags({ tags: some, timeoutMs })
    })
    // A read that was on its way meanwhile may have brought an old value.
    engine.local?.changeTags(some)
    // Nor would the store hear of the rest.
    if (failure !== undefined) outcome = deferOrThrow(engine, tagInvalidations(tags.slice(start)), failure)
  }
  report(engine, 'tags', tags, outcome, startedAt)
  return outcome
}

function tagInvalidations(tags: readonly string[]): readonly Invalidation[] {
  return tags.map(tag => ({ kind: 'tag', tag }))
}

/** Invalidates the namespace. When it resolves, no load that began before will answer a later call. */
export function clearNamespace(engine: Engine): Promise<WriteOutcome> {
  return runOperation(engine, 'clear', { outcome: undefined }, () => raiseGeneration(engine))
}

async function raiseGeneration(engine: Engine): Promise<WriteOutcome> {
  const startedAt = engine.clock.now()
  const everything = [{ kind: 'clear' }] as const
  const failure = await send(engine, 'clear', everything, timeoutMs => {
    revokeAllHere(engine)
    return engine.store.clear(timeoutMs)
  })
  engine.local?.changeAll()
  const outcome = failure === undefined ? 'applied' : deferOrThrow(engine, everything, failure)
  report(engine, 'clear', [], outcome, startedAt)
  return outcome
}

/** Returns why the store could not be told. */
async function send(
  engine: Engine,
  command: StoreErrorRecord['command'],
  invalidations: readonly Invalidation[],
  act: (timeoutMs: number) => Promise<void>,
): Promise<StoreError | undefined> {
  const { clock, options, outage } = engine
  let failure: StoreError | undefined
  if (Number.isNaN(engine.store.now(wholeNamespace))) failure = await connected(engine, command)
  for (let left = failure === undefined ? tries : 0; left > 0; left--) {
    const { position } = outage.journal
    try {
      await act(options.commandTimeoutMs)
      for (const invalidation of invalidations) outage.journal.acknowledge(invalidation, position, clock.now())
      return undefined
    } catch (error) {
      const latest = reportStoreError(engine, command, wholeNamespace, error)
      // That this try was not executed says nothing about an earlier one.
      if (failure?.outcome !== 'unknown' || latest.outcome === 'unknown') failure = latest
      if (latest.outcome === 'not-executed') break
    }
  }
  return failure
}

/** A process that invalidates as it starts should not be refused because connecting takes longer than a command may. */
async function connected(engine: Engine, command: StoreErrorRecord['command']): Promise<StoreError | undefined> {
  try {
    await engine.store.ready(wholeNamespace, Math.max(engine.options.commandTimeoutMs, connectPatienceMs))
  } catch (error) {
    return reportStoreError(engine, command, wholeNamespace, error)
  }
  return undefined
}

function report(
  engine: Engine,
  operation: 'tags' | 'clear',
  tags: readonly string[],
  outcome: WriteOutcome,
  startedAt: number,
): void {
  if (!engine.events.topics.invalidate.heard) return
  const durationMs = engine.clock.now() - startedAt
  engine.events.emit('invalidate', { ...recordBase(engine, wholeNamespace), operation, outcome, tags, durationMs })
}
