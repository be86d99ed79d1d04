import { BatchAnswers } from './batch-answers.ts'
import { invalidOption } from '../options/invalid-option.ts'
import type { Engine } from '../engine.ts'
import { setValue } from './writes.ts'
import type { WriteOutcome } from '../outage/defer.ts'
import type { Policy } from '../options/options.ts'

/** @throws LeaseholdError `INVALID_OPTION` for anything but pairs that can be gone through */
export function* checkedPairs<Name, Value>(entries: Iterable<readonly [Name, Value]>): Generator<readonly [Name, Value]> {
  const given: unknown = entries
  if (typeof given !== 'object' || given === null || !(Symbol.iterator in given)) throw invalidOption('entries', given, allowed)
  for (const pair of entries) {
    if (!Array.isArray(pair)) throw invalidOption('entries', pair, allowed)
    yield pair
  }
}

const allowed = 'pairs to store, each an array of two, such as a Map'

/** Stores values, all at once but no more in flight than the gate lets out. A key that is there twice gets its last value. */
export async function setMany(
  engine: Engine,
  values: ReadonlyMap<string, unknown>,
  policyOf: (key: string) => Policy,
): Promise<WriteOutcome> {
  let outcome: WriteOutcome = 'applied'
  const answers = new BatchAnswers([...values.keys()])
  const store = async ([key, value]: readonly [string, unknown]): Promise<void> => {
    const full = engine.gate.enter()
    if (full !== undefined) await full
    try {
      if ((await setValue(engine, key, value, policyOf(key))) === 'deferred') outcome = 'deferred'
    } catch (error) {
      answers.fail(key, error)
    } finally {
      engine.gate.leave()
    }
  }
  await engine.pending.during(async () => {
    await Promise.all(Array.from(values, store))
  })
  answers.values()
  return outcome
}
