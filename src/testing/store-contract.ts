import { acquireCases } from './contract/acquire-cases.ts'
import { changeCases } from './contract/change-cases.ts'
import { fullCases } from './contract/full-cases.ts'
import { keyCases } from './contract/key-cases.ts'
import { leaseCases } from './contract/lease-cases.ts'
import { readCases } from './contract/read-cases.ts'
import { Stage, type Cases, type StoreUnderTest } from './contract/stage.ts'
import { tagCases } from './contract/tag-cases.ts'
import { wakeCases } from './contract/wake-cases.ts'
import { writeCases } from './contract/write-cases.ts'

export type { StoreUnderTest } from './contract/stage.ts'

/** One thing that every store must do. */
export interface ContractCase {
  readonly name: string
  /** Rejects with an `AssertionError` when the store does not do it. Each run has a namespace of its own. */
  run(): Promise<void>
}

/**
 * What the engine relies on in a store, as cases for any test runner:
 *
 * ```ts
 * for (const { name, run } of storeContract({ open: context => myStore.open(context) })) test(name, run)
 * ```
 *
 * Cases are independent of each other and may run at the same time, but for those that need `full`.
 */
export function storeContract(subject: StoreUnderTest): readonly ContractCase[] {
  const cases: Cases = {
    ...readCases,
    ...acquireCases,
    ...leaseCases,
    ...writeCases,
    ...wakeCases,
    ...keyCases,
    ...tagCases,
    ...(subject.tellsChanges === false ? {} : changeCases),
    ...(subject.full === undefined ? {} : fullCases),
  }
  return Object.entries(cases).map(([name, body]) => ({
    name,
    async run() {
      const stage = new Stage(subject)
      try {
        await body(stage)
      } finally {
        await stage.close()
      }
    },
  }))
}
