import type { Contender, ContenderSettings } from './contender.ts'
import { openLeasehold } from './leasehold.ts'

/** Leasehold that answers from each process's memory what Redis has vouched for and not revoked since; the rest as it comes. */
export function openLeaseholdTrust(settings: ContenderSettings): Contender {
  return openLeasehold(settings, { local: { mode: 'trust' } })
}
