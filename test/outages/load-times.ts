import type { Seen } from './messages.ts'

/** A process that is late by a few ms has not loaded twice within the time. */
const leewayMs = 50

/** How often a key was loaded at most within any stretch of `withinMs`. */
export function mostWithin(withinMs: number, timesByKey: Iterable<readonly number[]>): number {
  let most = 0
  for (const times of timesByKey) {
    let from = 0
    for (let to = 0; to < times.length; to++) {
      while ((times[to] as number) - (times[from] as number) > withinMs - leewayMs) from++
      most = Math.max(most, to - from + 1)
    }
  }
  return most
}

/** When each key was loaded, by whichever process, from `since` on. */
export function loadsByAll(seen: readonly Seen[], since: number): readonly (readonly number[])[] {
  const byKey = new Map<string, number[]>()
  for (const { loadTimes } of seen) {
    for (const [key, times] of Object.entries(loadTimes))
      byKey.set(key, [...(byKey.get(key) ?? []), ...times.filter(at => at >= since)])
  }
  return [...byKey.values()].map(times => times.toSorted((a, b) => a - b))
}
