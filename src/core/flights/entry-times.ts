import type { EntryTimes, Random } from '../ports.ts'
import type { Policy } from '../options/options.ts'

type Kept = Pick<Policy, 'ttlMs' | 'staleWhileRevalidateMs' | 'staleIfErrorMs'>
type Lifetime = Pick<Policy, 'jitter' | 'staleWhileRevalidateMs' | 'staleIfErrorMs'>

/** When an entry stored now stops being fresh, and when it goes: its ttl, shortened by the jitter, and the longer of its stale windows. */
export function entryTimes(policy: Lifetime, ttlMs: number, serverNowMs: number, random: Random, loadMs: number): EntryTimes {
  const createdAt = Math.floor(serverNowMs)
  const freshUntil = createdAt + Math.max(1, Math.round(ttlMs * (1 - policy.jitter * random.next())))
  const hardUntil = freshUntil + Math.max(policy.staleWhileRevalidateMs, policy.staleIfErrorMs)
  return { createdAt, freshUntil, hardUntil, loadMs }
}

/** How long the store keeps a value at most, in ms. */
export function longestKept({ ttlMs, staleWhileRevalidateMs, staleIfErrorMs }: Kept): number {
  return ttlMs + Math.max(staleWhileRevalidateMs, staleIfErrorMs)
}
