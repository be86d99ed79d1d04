import { parseDuration } from '../options/duration.ts'
import { invalidOption } from '../options/invalid-option.ts'
import { keyOptionNames } from '../options/option-table.ts'
import type { Duration, KeyOptions } from '../options/options.ts'

/** How many replicas are to have a deletion before it resolves. */
export interface ReplicaOptions {
  /** Of the server that has the key. Default 0: none is waited for. */
  readonly replicas?: number | undefined
  /** How long they are waited for, once the deletion is done: 1 ms to 1 minute. Default 1 s. */
  readonly timeout?: Duration | undefined
}

export interface DeleteOptions extends KeyOptions, ReplicaOptions {}

/** What is to be waited for; undefined for nothing. */
export interface WantedReplicas {
  readonly replicas: number
  readonly timeoutMs: number
}

export const replicaOptionNames: ReadonlySet<string> = new Set(['replicas', 'timeout'])
export const deleteOptionNames: ReadonlySet<string> = new Set([...keyOptionNames, ...replicaOptionNames])

const mostReplicas = 100
const defaultTimeout = '1s'
const timeoutBounds = { min: 1, max: 60_000 }

/** @throws LeaseholdError `INVALID_OPTION` */
export function wantedReplicas({ replicas, timeout = defaultTimeout }: ReplicaOptions): WantedReplicas | undefined {
  const timeoutMs = parseDuration(timeout, 'timeout', timeoutBounds)
  if (replicas === undefined || replicas === 0) return undefined
  if (Number.isInteger(replicas) && replicas > 0 && replicas <= mostReplicas) return { replicas, timeoutMs }
  throw invalidOption('replicas', replicas, `a whole number from 0 to ${mostReplicas}`)
}
