import { batchMutants } from './batches.ts'
import { byteMutants } from './bytes.ts'
import { copyMutants } from './copies.ts'
import { leaseMutants } from './leases.ts'
import type { Mutant } from './mutant.ts'
import { outageMutants } from './outages.ts'
import { rememberedMutants } from './remembered.ts'
import { serverMutants } from './server.ts'
import { tagMutants } from './tags.ts'
import { tokenMutants } from './tokens.ts'
import { trustMutants } from './trust.ts'
import { vouchingMutants } from './vouching.ts'
import { waitingMutants } from './waiting.ts'

export interface MutantGroup {
  readonly title: string
  readonly mutants: readonly Mutant[]
}

/** Every defect that `npm run test:mutants` plants, by the rule it breaks. */
export const mutantGroups: readonly MutantGroup[] = [
  { title: 'The vouching rule', mutants: vouchingMutants },
  { title: 'The token rule', mutants: tokenMutants },
  { title: 'Leases', mutants: leaseMutants },
  { title: 'Waiting', mutants: waitingMutants },
  { title: 'Freshness and trust', mutants: trustMutants },
  { title: 'Outages', mutants: outageMutants },
  { title: 'Batches and resources', mutants: batchMutants },
  { title: 'Tags and clear', mutants: tagMutants },
  { title: 'Copies in the process', mutants: copyMutants },
  { title: 'Values vouched for by their headers', mutants: rememberedMutants },
  { title: 'Bytes and messages', mutants: byteMutants },
  { title: 'The server and the client', mutants: serverMutants },
]
