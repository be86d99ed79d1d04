import type { Cache } from '../../core/cache.ts'
import { LeaseholdError } from '../../core/errors.ts'
import type { CacheEventName } from '../../core/events.ts'
import { invalidOption } from '../../core/options/invalid-option.ts'
import { checkCache, checkFlag, checkOptions, textOr } from '../check-arguments.ts'
import { describeError } from './describe-error.ts'
import { LineLimit } from './line-limit.ts'
import { callLines, problemLines, type Level } from './lines.ts'
import { redactText } from './redact.ts'

/** A logger of pino's shape: fields first, then the message. */
export type Logger = { readonly [Name in Level]: (fields: object, message: string) => void }

export interface LogOptions {
  /** Also a `debug` line for each call, with `cache_hit`. Default false: problems only. */
  readonly calls?: boolean
  /** Asked for each line; what it returns is the line's `trace_id`. */
  readonly traceId?: () => string | undefined
  /** Lines of one kind per second; the next one says how many were left out. Default 10. */
  readonly linesPerSecond?: number
  /** Whether lines show keys and tags, in error messages too. Default true. */
  readonly keys?: boolean
  /** Texts that must not appear, besides what looks like a password, a token or a URL's credentials. */
  readonly secrets?: readonly string[]
  /** The field `cache`. Default: the cache's namespace. */
  readonly name?: string
}

const optionNames: ReadonlySet<string> = new Set<keyof LogOptions>([
  'calls',
  'traceId',
  'linesPerSecond',
  'keys',
  'secrets',
  'name',
])

/**
 * Writes what happens to `cache` to `logger`: problems, and calls if asked for.
 *
 * @returns Stops it.
 * @throws LeaseholdError `INVALID_OPTION`, `UNKNOWN_OPTION`
 */
export function logCache(cache: Cache, logger: Logger, options: LogOptions = {}): () => void {
  checkCache(cache)
  checkOptions(options, optionNames)
  const { calls = false, keys = true, linesPerSecond = 10, secrets = [], traceId } = options
  checkFlag('calls', calls)
  checkFlag('keys', keys)
  if (!Array.isArray(secrets) || !secrets.every(secret => typeof secret === 'string'))
    throw new LeaseholdError('INVALID_OPTION', 'Option "secrets" must be an array of strings', { option: 'secrets' })
  if (traceId !== undefined && typeof traceId !== 'function') throw invalidOption('traceId', traceId, 'a function')
  for (const level of ['debug', 'info', 'warn', 'error'] as const) {
    if (typeof logger?.[level] !== 'function') throw invalidOption('logger', logger, `a logger with the method ${level}`)
  }
  if (!Number.isInteger(linesPerSecond) || linesPerSecond < 1)
    throw invalidOption('linesPerSecond', linesPerSecond, 'a whole number from 1')
  const limit = new LineLimit(linesPerSecond)
  const common = { cache: textOr('name', options.name, cache.name) }
  const stops: (() => void)[] = []

  function follow(table: typeof callLines, event: CacheEventName): void {
    const describe = table[event] as (record: object) => ReturnType<NonNullable<(typeof callLines)['hit']>>
    const write = (record: { readonly at: number }): void => {
      const line = describe(record)
      if (line === undefined) return
      const suppressed = limit.admit(`${event} ${line.message}`, record.at)
      if (suppressed === undefined) return
      const id = traceId?.()
      const fields = {
        event,
        ...common,
        ...fieldsOf(record, keys, secrets),
        ...(line.cacheHit === undefined ? {} : { cache_hit: line.cacheHit }),
        ...(id === undefined ? {} : { trace_id: id }),
        ...(suppressed === 0 ? {} : { suppressed }),
      }
      logger[line.level](fields, line.message)
    }
    cache.on(event, write)
    stops.push(() => cache.off(event, write))
  }

  for (const table of calls ? [problemLines, callLines] : [problemLines])
    for (const event of Object.keys(table) as CacheEventName[]) follow(table, event)
  return () => {
    for (const stop of stops) stop()
  }
}

/** The record's fields, spelled as logs are. The time is left to the logger. */
function fieldsOf(record: object, keys: boolean, secrets: readonly string[]): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(record)) {
    if (name === 'at' || (!keys && (name === 'key' || name === 'tags'))) continue
    if (name === 'error') fields['error'] = describeError(value, { secrets, keys: keys ? undefined : [keyOf(record)] })
    else fields[snakeCase(name)] = redacted(value, secrets)
  }
  return fields
}

function redacted(value: unknown, secrets: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map(each => redacted(each, secrets))
  return typeof value === 'string' ? redactText(value, secrets) : value
}

function keyOf(record: { readonly key?: string }): string {
  return record.key ?? ''
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
}
