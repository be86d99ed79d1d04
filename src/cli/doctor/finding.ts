import type { Facts } from './facts.ts'

export type State = 'ok' | 'info' | 'warning' | 'problem' | 'unknown'

export interface Finding {
  readonly state: State
  readonly finding: string
  /** Why it matters. */
  readonly why?: string
  /** What exactly to do. */
  readonly fix?: string
}

export interface Check {
  readonly name: string
  readonly run: (facts: Facts) => Finding | undefined
}

export interface CheckedFinding extends Finding {
  readonly check: string
}

export function ok(finding: string): Finding {
  return { state: 'ok', finding }
}

export function info(finding: string): Finding {
  return { state: 'info', finding }
}

export function unknown(finding: string, fix?: string): Finding {
  return fix === undefined ? { state: 'unknown', finding } : { state: 'unknown', finding, fix }
}

export function warning(finding: string, why: string, fix: string): Finding {
  return { state: 'warning', finding, why, fix }
}

export function problem(finding: string, why: string, fix: string): Finding {
  return { state: 'problem', finding, why, fix }
}

/** For settings that neither INFO nor CONFIG told. */
export function unreadable(setting: string): Finding {
  return unknown(`${setting} could not be read`, 'run the doctor as a user with +config|get and +info')
}

/** How a setting is changed, now and for good. */
export function set(setting: string, value: string): string {
  return `CONFIG SET ${setting} ${value}, and "${setting} ${value}" in redis.conf`
}
