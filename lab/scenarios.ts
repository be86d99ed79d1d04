import type { Settings } from './settings.ts'
import type { Edit, Traffic } from './traffic.ts'

/** Something that happens to the servers while the load goes on; `at` is a share of the duration. */
export interface Incident {
  readonly at: number
  readonly does: 'restart half of the workers' | 'stop Redis' | 'let Redis go on' | 'restart Redis empty'
}

export interface Scenario {
  /** As the flag names it. */
  readonly id: ScenarioId
  readonly title: string
  /** One sentence for a reader who does not know the code. */
  readonly what: string
  readonly traffic: Traffic
  readonly ttlMs: number
  readonly latencyMs: number
  /** Every cache is emptied when the clock starts. */
  readonly cold: boolean
  /** Traffic before the clock starts, in which products come into the cache one after the other. */
  readonly warmUpMs: number
  readonly incidents: readonly Incident[]
}

export const scenarioIds = [
  'steady',
  'writes',
  'cold',
  'hot-keys',
  'deploy',
  'burst',
  'delete',
  'redis-hung',
  'redis-restart',
] as const
export type ScenarioId = (typeof scenarioIds)[number]

const shortWarmUpMs = 2000
const hotProducts = 10
const hotTtlMs = 2000
const editedProducts = 6

export function scenarioOf(id: ScenarioId, settings: Settings): Scenario {
  const { perSecond, durationMs, products, skew, churn, writes, ttlMs, latencyMs } = settings
  const reads: Traffic = { perSecond, durationMs, products, skew, churn, writes: 0 }
  const withWrites: Traffic = { ...reads, writes }
  const usual = { ttlMs, latencyMs, cold: false, warmUpMs: Math.min(shortWarmUpMs, durationMs / 2), incidents: [] }
  // As long as a lifetime, so that products expire all along the measurement and not all at once.
  const steady = { ...usual, warmUpMs: ttlMs }
  const percent = `${Math.round(writes * 1000) / 10} %`
  switch (id) {
    case 'steady':
      return { ...steady, id, traffic: reads, title: 'Steady reads', what: 'Reads alone, skewed towards a few products.' }
    case 'writes':
      return {
        ...steady,
        id,
        traffic: withWrites,
        title: 'Steady, with writes',
        what: `The same, and ${percent} of the requests change any product in the database, popular or not, and then invalidate it.`,
      }
    case 'cold':
      return {
        ...usual,
        id,
        traffic: { ...reads, churn: 0 },
        cold: true,
        // Nothing expires, so that what is loaded twice was not held back.
        ttlMs: Math.max(ttlMs, 4 * durationMs),
        title: 'Cold start',
        what: 'All caches are empty and the full traffic arrives at once.',
      }
    case 'hot-keys':
      return {
        ...usual,
        id,
        traffic: { ...reads, products: Math.min(hotProducts, products), churn: 0 },
        ttlMs: Math.min(hotTtlMs, ttlMs),
        title: 'Hot keys expire',
        what: `${Math.min(hotProducts, products)} products get all the reads, and each is cached for ${Math.min(hotTtlMs, ttlMs) / 1000} s at a time.`,
      }
    case 'deploy':
      return {
        ...usual,
        id,
        traffic: withWrites,
        incidents: [{ at: 0.3, does: 'restart half of the workers' }],
        title: 'Deploy',
        what: 'Half of the service processes are drained and replaced by new ones while the traffic goes on.',
      }
    case 'burst':
      return {
        ...usual,
        id,
        traffic: { ...withWrites, burst: { fromMs: durationMs / 3, untilMs: (durationMs * 2) / 3, factor: 2 } },
        title: 'Burst',
        what: 'Twice the traffic in the middle third.',
      }
    case 'delete':
      return {
        ...usual,
        id,
        traffic: { ...reads, churn: 0, edits: editsOf(durationMs, latencyMs * slowSource, Math.min(editedProducts, products)) },
        latencyMs: latencyMs * slowSource,
        ttlMs: durationMs,
        title: 'Delete during slow loads',
        what: `The source takes ${slowSource} times as long. Popular products are changed and invalidated, and changed again while the first change is being loaded.`,
      }
    case 'redis-hung':
      return {
        ...usual,
        id,
        traffic: withWrites,
        incidents: [
          { at: 0.25, does: 'stop Redis' },
          { at: 0.55, does: 'let Redis go on' },
        ],
        title: 'Redis hangs',
        what: 'Redis is stopped (SIGSTOP) for 30 % of the time: connections stay open and nothing answers.',
      }
    case 'redis-restart':
      return {
        ...usual,
        id,
        traffic: withWrites,
        incidents: [{ at: 0.35, does: 'restart Redis empty' }],
        title: 'Redis restarts empty',
        what: 'Redis is killed and another one starts in its place, with nothing in it.',
      }
  }
}

const slowSource = 4

/** Each edited product is changed at regular intervals, twice: the second time in the middle of the load that follows the first. */
function editsOf(durationMs: number, loadMs: number, products: number): Edit[] {
  const everyMs = Math.max(3 * loadMs, durationMs / 4)
  const edits: Edit[] = []
  for (let product = 1; product <= products; product++) {
    for (let atMs = loadMs / 2 + (product * everyMs) / (products + 1); atMs + loadMs < durationMs; atMs += everyMs) {
      edits.push({ atMs, product }, { atMs: atMs + loadMs / 2, product })
    }
  }
  return edits
}
