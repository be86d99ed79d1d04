/** Everything that a run of the lab can be told. Shares are from 0 to 1. */
export interface Settings {
  /** Service processes. */
  readonly workers: number
  /** Load-generating processes, which share the arrivals. */
  readonly generators: number
  /** Requests per second of all generators together, outside bursts. */
  readonly perSecond: number
  /** How long each measurement is. */
  readonly durationMs: number
  /** How often each scenario is played for each contender, in turns. */
  readonly rounds: number
  /** How many products are asked for at any moment. */
  readonly products: number
  /** Zipf's exponent: the n-th most popular product is asked for 1/n^skew as often as the first. */
  readonly skew: number
  /** The share of the products that lose their popularity to ones not asked for so far, per second. */
  readonly churn: number
  /** The share of requests that change a product and invalidate it: any product, popular or not. */
  readonly writes: number
  readonly ttlMs: number
  /** What the source awaits on top of its query. */
  readonly latencyMs: number
  /** The share of loads that take `slowFactor` times as long. */
  readonly slowShare: number
  readonly slowFactor: number
  /** Bytes of text in a product. */
  readonly valueBytes: number
  /** When the load generator gives a request up. */
  readonly timeoutMs: number
  /** Connections that each generator may have open. */
  readonly connections: number
  readonly seed: number
}

export const defaultSettings: Settings = {
  workers: 4,
  generators: 1,
  perSecond: 1000,
  durationMs: 15_000,
  rounds: 1,
  products: 60,
  skew: 1.1,
  churn: 0.002,
  writes: 0.05,
  ttlMs: 10_000,
  latencyMs: 120,
  slowShare: 0.03,
  slowFactor: 4,
  valueBytes: 800,
  timeoutMs: 5000,
  connections: 1000,
  seed: 2026,
}

/** For CI: everything is shown to run, and no figure is to be quoted. */
export const quickSettings: Settings = {
  ...defaultSettings,
  workers: 2,
  perSecond: 200,
  durationMs: 2000,
  products: 30,
  ttlMs: 1000,
  latencyMs: 60,
  timeoutMs: 2000,
  connections: 500,
}

/** Arrivals of one run that fit in memory many times over, whatever the flags say. */
export const mostArrivals = 3_000_000
