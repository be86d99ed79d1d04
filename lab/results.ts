import type { ContenderId } from './contenders/index.ts'
import type { Figures } from './figures.ts'
import type { Scenario } from './scenarios.ts'
import type { Settings } from './settings.ts'

/** All runs of one contender in one scenario. */
export interface Outcome {
  readonly contender: ContenderId
  /** The run with the median p99, whole, so that its figures belong together. */
  readonly figures: Figures
  readonly rounds: readonly Figures[]
}

export interface ScenarioResult {
  readonly scenario: Scenario
  readonly outcomes: readonly Outcome[]
}

export interface Machine {
  readonly date: string
  readonly cores: number
  readonly cpu: string
  readonly loadBefore: number
  readonly node: string
  readonly redis: string
  readonly postgres: string
}

export interface LabResult {
  readonly machine: Machine
  readonly settings: Settings
  readonly quick: boolean
  readonly tookMs: number
  readonly results: readonly ScenarioResult[]
}

export function outcomeOf(contender: ContenderId, rounds: readonly Figures[]): Outcome {
  const sorted = rounds.toSorted((a, b) => a.p99Ms - b.p99Ms)
  const figures = sorted[Math.floor((sorted.length - 1) / 2)]
  if (figures === undefined) throw new Error('no round was played')
  return { contender, figures, rounds }
}
