import { isLeaseholdError, type Loader, type LoaderContext } from '../../src/index.ts'
import type { LoadRecord, Payload } from './history.ts'
import { isPayload } from './history.ts'
import { loadBegan, loadEnded } from './load-rules.ts'
import type { GetOrSetOp } from './plan.ts'
import type { SimulatedProcess } from './process.ts'
import { SourceFailure } from './test-errors.ts'
import { hugeText, largeText, longText, padding } from './texts.ts'

/** How a loader asks the cache in turn. */
type Ask = (process: SimulatedProcess, op: GetOrSetOp) => Promise<unknown>

/** The loader of one call: it takes virtual time, and does what its plan says. */
export function loaderOf(process: SimulatedProcess, op: GetOrSetOp, ask: Ask): Loader<unknown> {
  return async context => {
    const load = loadBegan(process, op)
    try {
      const value = await run(process, op, load, context, ask)
      const kept = isPayload(value) && op.loader.kind !== 'skips' && op.loader.kind !== 'too-large'
      load.uncacheable = (value === undefined || (isPayload(value) && !kept)) && !isGivenUp(process, load)
      loadEnded(process, load, value === undefined ? 'nothing' : kept ? 'value' : 'failed')
      return value
    } catch (error) {
      // A load that was called off says nothing about the source; and a cooldown is another way not to queue.
      load.uncacheable = !context.signal.aborted && !load.refresh && !cools(process, op)
      loadEnded(process, load, 'failed')
      throw error
    }
  }
}

/** The engine has ended a load that outlives two hard timeouts, whatever comes of it. */
function isGivenUp({ world, pausedMs }: SimulatedProcess, { beganAt, pausedBeforeMs, hardMs }: LoadRecord): boolean {
  return world.now - beganAt - (pausedMs - pausedBeforeMs) >= 2 * hardMs
}

function cools(process: SimulatedProcess, op: GetOrSetOp): boolean {
  return Number({ ...process.plan.options, ...op.options }.errorCooldown) > 0
}

async function run(
  process: SimulatedProcess,
  op: GetOrSetOp,
  load: LoadRecord,
  context: LoaderContext,
  ask: Ask,
): Promise<unknown> {
  const { key, version, loader } = op
  const { kind, takesMs, readsAt } = loader
  const { history } = process.world
  const signal = loader.ignoresSignal ? undefined : context.signal
  const ttlMs = kind === 'sets-ttl' ? loader.ttlMs : Number({ ...process.plan.options, ...op.options }.ttl)
  if (kind === 'sets-ttl') context.setTtl(ttlMs)
  if (kind === 'skips') context.skip()
  context.tags.add(...loader.addsTags)
  await pass(process, kind === 'hangs' ? Infinity : takesMs * readsAt, signal)
  const birth = history.bear({
    from: 'load',
    process: process.name,
    key,
    version,
    began: load.beganAt,
    bornSeq: load.beganSeq,
    tags: load.tags,
    text: kind === 'too-large' ? tooLongText(process) : textOf(process, takesMs),
  })
  birth.outage = load.outage
  await pass(process, takesMs * (1 - readsAt), signal)
  switch (kind) {
    case 'fails':
      throw new SourceFailure('the source is down')
    case 'throws-undefined':
      throw undefined
    case 'nothing':
      return undefined
    case 'unserializable':
      history.refusedValues.add(`${process.name} ${key}`)
      return { load: () => undefined }
    case 'nested':
    case 'recursive':
      await askAlso(process, op, ask)
      break
    case 'not-modified': {
      const stale = context.stale?.value as Payload | undefined
      if (stale?.source === birth.payload.source) {
        confirm(process, stale, load, ttlMs)
        process.world.coverage.count('loader not modified')
        // Typed as never: to the loader's wrapper it looks like any value.
        loadEnded(process, load, 'value')
        return context.notModified()
      }
      break
    }
    case 'value':
    case 'skips':
    case 'hangs':
    case 'sets-ttl':
    case 'too-large':
  }
  birth.freshUntil = process.world.now + ttlMs
  return birth.payload
}

/** The source says that the old value is as good as one loaded now. */
function confirm(process: SimulatedProcess, { birth }: Payload, { beganSeq, outage }: LoadRecord, ttlMs: number): void {
  const old = process.world.history.births[birth]
  if (old === undefined) return
  old.confirmedBy.add(process.name)
  old.outage ||= outage
  old.bornSeq = Math.max(old.bornSeq, beganSeq)
  old.confirmedUntil = Math.max(old.confirmedUntil, process.world.now + ttlMs)
  old.freshUntil = Math.max(old.freshUntil, old.confirmedUntil)
}

/** A loader that asks the cache: for another key, or for its own, which is refused. */
async function askAlso(process: SimulatedProcess, op: GetOrSetOp, ask: Ask): Promise<void> {
  const { loader } = op
  const own = loader.kind === 'recursive'
  const inner: GetOrSetOp = {
    ...op,
    options: {},
    abortAfterMs: undefined,
    key: own ? op.key : loader.asks,
    loader: { ...loader, kind: 'value', takesMs: 10 },
  }
  const { world } = process
  let forget = (): void => {}
  const over = new Promise<never>((_, reject) => (forget = world.whenOver(() => reject(new Error('the run is over')))))
  try {
    await Promise.race([ask(process, inner), over])
  } catch (error) {
    if (isLeaseholdError(error, 'UNSERIALIZABLE_VALUE')) world.history.refusedValues.add(`${process.name} ${op.key}`)
    throw error
  } finally {
    forget()
  }
}

/** Virtual time in this process. At the end of the run, and with the signal, it fails. */
function pass(process: SimulatedProcess, ms: number, signal: AbortSignal | undefined): Promise<void> | void {
  if (ms === 0) return
  const { world } = process
  return new Promise((resolve, reject) => {
    const leave = (act: () => void): void => {
      forget()
      signal?.removeEventListener('abort', onAbort)
      if (event !== undefined) event.cancelled = true
      act()
    }
    const forget = world.whenOver(() => leave(() => reject(new Error('the run is over'))))
    const onAbort = (): void => leave(() => reject(signal?.reason as Error))
    const event = ms === Infinity ? undefined : world.scheduler.after(ms, () => leave(resolve), process, true)
    if (signal?.aborted === true) onAbort()
    else signal?.addEventListener('abort', onAbort, { once: true })
  })
}

function textOf({ world }: SimulatedProcess, takesMs: number): string | undefined {
  if (world.plan.large) return largeText
  return Math.floor(takesMs) % 5 === 1 ? padding : undefined
}

/** Longer than values may be. */
export function tooLongText({ world }: SimulatedProcess): string {
  return world.plan.large ? hugeText : longText
}
