import { checkNames, checkObject, hasMethods } from '../core/options/check-option.ts'
import { invalidOption } from '../core/options/invalid-option.ts'
import { checkFunction } from './check-arguments.ts'
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
 * A clock that is moved by hand needs `pass`: `{ open, clock, pass: ms => clock.advance(ms) }`.
 *
 * Cases are independent of each other and may run at the same time, but for those that need `full`.
 *
 * @throws LeaseholdError `INVALID_OPTION`, `UNKNOWN_OPTION`
 */
export function storeContract(subject: StoreUnderTest): readonly ContractCase[] {
  checkSubject(subject)
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

const options: ReadonlySet<string> = new Set<keyof StoreUnderTest>(['open', 'clock', 'random', 'pass', 'full', 'tellsChanges'])
const clockMethods = ['now', 'wallNow', 'setTimeout', 'clearTimeout', 'unref'] as const

function checkSubject(subject: StoreUnderTest): void {
  const given = checkObject('subject', subject, 'an object with open')
  checkNames(given, options)
  const { open, clock, random, pass, full, tellsChanges } = given
  checkFunction('open', open)
  if (clock !== undefined && !hasMethods(clock, ...clockMethods)) throw invalidOption('clock', clock, 'a Clock')
  if (random !== undefined && !hasMethods(random, 'next', 'token')) throw invalidOption('random', random, 'a Random')
  if (full !== undefined && !hasMethods(full, 'fill', 'drain')) throw invalidOption('full', full, 'an object with fill and drain')
  if (tellsChanges !== undefined && typeof tellsChanges !== 'boolean')
    throw invalidOption('tellsChanges', tellsChanges, 'true or false')
  if (pass !== undefined) checkFunction('pass', pass)
  // Nobody would move it while a case waits on it.
  else if (hasMethods(clock, 'advance'))
    throw invalidOption('pass', pass, 'given with such a clock: pass: ms => clock.advance(ms)')
}
