import type { Token } from './store.ts'

declare const timer: unique symbol
export interface Timer {
  readonly [timer]: never
}

/** Monotonic time and timers. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number
  /** The same, read at most once in a turn of the event loop or a thousand looks: for what looks at every hit. Left out: `now`. */
  turnNow?(): number
  /** Wall-clock milliseconds since 1970. Only the embedded store, which is its own server, decides anything by it. */
  wallNow(): number
  setTimeout(callback: () => void, delayMs: number): Timer
  clearTimeout(timer: Timer): void
  /** Lets the process exit while the timer is pending: for upkeep that no caller waits on. */
  unref(timer: Timer): void
}

export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  token(): Token
}
