import type { Entry, Random } from '../ports.ts'
import type { Policy, RefreshPolicy } from '../options/options.ts'

/**
 * What a reader may do with an entry: answer it; answer it and offer a refresh (`refresh-early`, `revalidate`);
 * keep it in case the load fails (`fallback`); or forget it.
 */
export type Decision = 'fresh' | 'refresh-early' | 'revalidate' | 'fallback' | 'absent'

type Freshness = Pick<Entry, 'freshUntil' | 'expired' | 'loadMs'>
type StalePolicy = Pick<Policy, 'refresh' | 'staleWhileRevalidateMs' | 'staleIfErrorMs'>

/** Within its `ttl`, and not expired by hand. Nothing is while the store's time is not known, when `nowMs` is NaN. */
export function isFresh(entry: Pick<Entry, 'freshUntil' | 'expired'>, nowMs: number): boolean {
  return !entry.expired && nowMs < entry.freshUntil
}

export function decide(entry: Freshness, nowMs: number, policy: StalePolicy, random: Random): Decision {
  if (isFresh(entry, nowMs)) {
    return offersRefresh(entry, nowMs, policy.refresh, random) ? 'refresh-early' : 'fresh'
  }
  const staleMs = staleness(entry, nowMs)
  if (staleMs < policy.staleWhileRevalidateMs) return 'revalidate'
  if (staleMs < policy.staleIfErrorMs) return 'fallback'
  return 'absent'
}

/** How long past freshness, in ms. An entry that was expired by hand before its time counts as just expired. */
export function staleness(entry: Freshness, nowMs: number): number {
  return Math.max(0, nowMs - entry.freshUntil)
}

/**
 * Whether this read of a fresh entry offers a refresh. XFetch: `now − Δ·β·ln(1 − rand) ≥ fresh-until`, after
 * Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede Prevention" (VLDB 2015).
 */
function offersRefresh(entry: Freshness, nowMs: number, refresh: RefreshPolicy, random: Random): boolean {
  switch (refresh.strategy) {
    case 'off':
      return false
    case 'xfetch':
      return nowMs - entry.loadMs * refresh.beta * Math.log(1 - random.next()) >= entry.freshUntil
    case 'window':
      return nowMs >= entry.freshUntil - refresh.windowMs && random.next() < refresh.probability
  }
}
