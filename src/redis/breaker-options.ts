import { describeValue } from '../core/describe-value.ts'
import { parseDuration } from '../core/options/duration.ts'
import { invalidOption, unknownOption } from '../core/options/invalid-option.ts'
import type { Duration } from '../core/options/options.ts'
import type { BreakerWindow } from './rolling-window.ts'

/** When reads and fills are kept away from a server. */
export interface BreakerOptions {
  /** The share of commands that may fail. 0 to 1, default 0.02. */
  readonly errorRate?: number
  /** How long commands may take: more than one in twenty above it (the 95th percentile) opens the breaker. 1 ms to 1 minute, default 100 ms. */
  readonly latency?: Duration
  /** How many commands a window needs before it says anything. 1 to 1000000, default 50. */
  readonly minVolume?: number
  /** How long a command counts. 100 ms to 10 minutes, default 10 s. */
  readonly window?: Duration
  /** How long it stays open before one command at a time is let through to try. 10 ms to 10 minutes, default 250 ms. */
  readonly openFor?: Duration
  /** Decides, after each command that failed or was slow, in place of `errorRate` and `minVolume` and of the share of slow commands: why to open, or undefined to stay closed. One that throws, or returns anything else, leaves it closed, with one process warning. */
  readonly decide?: (window: BreakerWindow) => 'errors' | 'latency' | undefined
}

/** {@link BreakerOptions}, checked. */
export interface BreakerSettings {
  readonly latencyMs: number
  readonly windowMs: number
  readonly openForMs: number
  /** Undefined: it is switched off. */
  readonly decide: ((window: BreakerWindow) => 'errors' | 'latency' | undefined) | undefined
}

const minute = 60_000
const bounds = {
  latency: { min: 1, max: minute },
  window: { min: 100, max: 10 * minute },
  openFor: { min: 10, max: 10 * minute },
} as const
const names: readonly (keyof BreakerOptions)[] = ['errorRate', 'latency', 'minVolume', 'window', 'openFor', 'decide']
/** The share that the 95th percentile leaves above itself. */
const slowShare = 0.05
const mostVolume = 1_000_000

/** @throws LeaseholdError `INVALID_OPTION`, `UNKNOWN_OPTION` */
export function resolveBreaker(options: BreakerOptions | false | undefined): BreakerSettings {
  if (options === false) return { ...resolveBreaker({}), decide: undefined }
  const given = options === undefined ? {} : options
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw invalidOption('breaker', options, 'an object or false')
  for (const name in given) if (!names.includes(name as keyof BreakerOptions)) throw unknownOption(`breaker.${name}`, names)
  const { errorRate = 0.02, minVolume = 50, latency = 100, window = 10_000, openFor = 250, decide } = given
  if (!(typeof errorRate === 'number' && errorRate >= 0 && errorRate <= 1))
    throw invalidOption('breaker.errorRate', errorRate, 'a number from 0 to 1')
  if (!(Number.isInteger(minVolume) && minVolume >= 1 && minVolume <= mostVolume))
    throw invalidOption('breaker.minVolume', minVolume, `a whole number from 1 to ${mostVolume}`)
  if (decide !== undefined && typeof decide !== 'function') throw invalidOption('breaker.decide', decide, 'a function')
  return {
    latencyMs: parseDuration(latency, 'breaker.latency', bounds.latency),
    windowMs: parseDuration(window, 'breaker.window', bounds.window),
    openForMs: parseDuration(openFor, 'breaker.openFor', bounds.openFor),
    decide: decide === undefined ? counts => tripped(counts, errorRate, minVolume) : guarded(decide),
  }
}

/** What the application decides with. One that throws, or returns anything else, has decided nothing: it is called where replies are handed on. */
function guarded(decide: (window: BreakerWindow) => unknown): NonNullable<BreakerSettings['decide']> {
  let warned = false
  const warn = (what: string): undefined => {
    if (!warned) process.emitWarning(`the option breaker.decide ${what}: the breaker stays closed`, 'LeaseholdWarning')
    warned = true
  }
  return window => {
    try {
      const reason = decide(window)
      if (reason === undefined || reason === 'errors' || reason === 'latency') return reason
      if (reason instanceof Promise) reason.catch(() => {})
      return warn(`must return 'errors', 'latency' or undefined; it returned ${describeValue(reason)}`)
    } catch (error) {
      return warn(`threw: ${String(error)}`)
    }
  }
}

function tripped(
  { commands, failures, slow }: BreakerWindow,
  errorRate: number,
  minVolume: number,
): 'errors' | 'latency' | undefined {
  if (commands < minVolume) return undefined
  if (failures > commands * errorRate) return 'errors'
  return slow > commands * slowShare ? 'latency' : undefined
}
