import { context, SpanStatusCode, trace, type Attributes, type Span, type Tracer as OtelTracer } from '@opentelemetry/api'
import type { Cache } from '../../core/cache.ts'
import type { StoreErrorRecord, WaitRecord } from '../../core/events.ts'
import type { OperationOutcome, TracedLoad, TracedOperation, Tracer } from '../../core/tracer.ts'
import { checkCache, checkFlag, checkMethods, checkOptions, textOr } from '../check-arguments.ts'

export interface TraceOptions {
  /** Default: the global provider's, named `leasehold`. */
  readonly tracer?: OtelTracer
  /** The attribute `cache.name`. Default: the cache's namespace. */
  readonly name?: string
  /** Puts keys into spans as `cache.key`. Default false: keys tend to hold ids of people. */
  readonly keys?: boolean
  /** Also traces calls that run under no span, as traces of their own. Default false. */
  readonly roots?: boolean
}

const optionNames: ReadonlySet<string> = new Set<keyof TraceOptions>(['tracer', 'name', 'keys', 'roots'])
const foundSomething: ReadonlySet<OperationOutcome> = new Set<OperationOutcome>(['hit', 'stale'])
const lookedForNothing: ReadonlySet<string> = new Set(['set', 'delete', 'expire', 'invalidateTags', 'clear'])

/**
 * Traces the cache's operations and its loads under their callers' spans. A call whose caller's span is not recorded costs next to nothing.
 *
 * @returns Stops it.
 * @throws LeaseholdError `INVALID_OPTION`, also if the cache is traced already; `UNKNOWN_OPTION`
 */
export function traceCache(cache: Cache, options: TraceOptions = {}): () => void {
  checkCache(cache)
  checkOptions(options, optionNames)
  checkFlag('keys', options.keys)
  checkFlag('roots', options.roots)
  const tracer = options.tracer ?? trace.getTracer('leasehold')
  checkMethods('tracer', tracer, "a tracer of OpenTelemetry's", 'startSpan')
  const common: Attributes = { 'cache.name': textOr('name', options.name, cache.name) }
  const about = ({ key, keys }: { readonly key?: string; readonly keys?: number }): Attributes => ({
    ...common,
    ...(options.keys === true && key !== undefined ? { 'cache.key': key } : {}),
    ...(keys === undefined ? {} : { 'cache.keys': keys }),
  })
  const roots = options.roots === true

  const own: Tracer = {
    wants(): boolean {
      const parent = trace.getSpan(context.active())
      return parent === undefined ? roots : parent.isRecording()
    },
    operation<Result>(name: string, operation: TracedOperation, run: () => Promise<Result>): Promise<Result> {
      const span = tracer.startSpan(`cache.${name}`, { attributes: { ...about(operation), 'cache.operation': name } })
      return inSpan(span, run, () => {
        markFailedKeys(span, operation.failedKeys)
        if (operation.outcome === undefined) return
        span.setAttribute('cache.outcome', operation.outcome)
        if (!lookedForNothing.has(name)) span.setAttribute('cache.hit', foundSomething.has(operation.outcome))
      })
    },
    load<Result>(load: TracedLoad, run: () => Promise<Result>): Promise<Result> {
      const span = tracer.startSpan('cache.load', { attributes: { ...about(load), 'cache.background': load.background } })
      return inSpan(span, run, () => {
        markFailedKeys(span, load.failedKeys)
        if (load.error !== undefined) markFailed(span, load.error)
      })
    },
  }

  const onWait = ({ waitedMs, outcome }: WaitRecord): void =>
    addEvent('cache.wait', { 'cache.waited_ms': Math.round(waitedMs), 'cache.outcome': outcome })
  const onStoreError = ({ command, code }: StoreErrorRecord): void =>
    addEvent('cache.store_error', { 'cache.command': command, 'error.type': code })
  cache.trace(own)
  cache.on('wait', onWait).on('store-error', onStoreError)
  return () => {
    cache.trace(undefined)
    cache.off('wait', onWait).off('store-error', onStoreError)
  }
}

async function inSpan<Result>(span: Span, run: () => Promise<Result>, atEnd: () => void = () => {}): Promise<Result> {
  try {
    return await context.with(trace.setSpan(context.active(), span), run)
  } catch (error) {
    markFailed(span, error)
    throw error
  } finally {
    atEnd()
    span.end()
  }
}

/** The error's message is not repeated: it may hold whatever the source put into it. */
function markFailed(span: Span, error: unknown): void {
  span.setAttribute('error.type', errorType(error))
  span.setStatus({ code: SpanStatusCode.ERROR })
}

function markFailedKeys(span: Span, failedKeys: number | undefined): void {
  if (failedKeys !== undefined && failedKeys > 0) span.setAttribute('cache.failed_keys', failedKeys)
}

function addEvent(name: string, attributes: Attributes): void {
  const span = trace.getActiveSpan()
  if (span?.isRecording() === true) span.addEvent(name, attributes)
}

function errorType(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '_OTHER'
  try {
    const { code, name } = error as { readonly code?: unknown; readonly name?: unknown }
    const type = typeof code === 'string' && code !== '' ? code : name
    return typeof type === 'string' && /^[\w.-]{1,64}$/.test(type) ? type : '_OTHER'
  } catch {
    // The caller is to get this error, not that of its getter or proxy.
    return '_OTHER'
  }
}
