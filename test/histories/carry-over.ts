import { History } from './history.ts'

/** Of each key, and of all together. Far more than what a value outlives. */
const keptWrites = 300

/** What the next part of a long history has to know of this one: the last things that were done to revoke or set each key. */
export function carryOver(history: History): History {
  const carried = new History()
  for (const indices of history.indicesByKey().values()) {
    const writes = indices
      .filter(index => ['set', 'delete', 'expire'].includes(history.kind(index)))
      .toSorted((a, b) => history.ended(a) - history.ended(b))
    for (const index of writes.slice(-keptWrites)) carried.add(history.at(index))
  }
  const broad = history.broadIndices().toSorted((a, b) => history.ended(a) - history.ended(b))
  for (const index of broad.slice(-keptWrites)) carried.add(history.at(index))
  return carried
}
