import type { Mutant } from './mutant.ts'

const tests = ['test/unit/engine/tags.test.ts']

/** Tags and clear: what is invalidated while a load runs stays invalidated, and what is not known counts as invalid. */
export const tagMutants: readonly Mutant[] = [
  {
    name: 'tag-stamp-at-commit',
    does: 'an entry is stamped with the newest namespace record when it is stored',
    file: 'src/core/flights/load-settlement.ts',
    find: 'entry = encode(run, load, result, load.stamp)',
    replace: 'entry = encode(run, load, result, await run.engine.store.stamp({ keepMs: 0, timeoutMs: 100 }))',
    tests,
  },
  {
    name: 'tag-stamp-after-the-loader-started',
    does: 'the stamp is read when the load begins, and may be answered later',
    file: 'src/core/flights/flight-run.ts',
    find: "const load = await this.#load('lease')\n",
    replace:
      "const late = new Promise<Buffer>(done => this.engine.clock.setTimeout(() => void this.engine.store.stamp({ keepMs: 0, timeoutMs: 100 }).then(done), 60))\n    const load = await this.#load('lease')\n    stamp = await late\n",
    tests,
  },
  {
    name: 'missing-tag-table-means-valid',
    does: 'a table of tags that is lost counts as one without the tag',
    file: 'src/core/tags/tag-check.ts',
    find: 'return (await newest) > entry.stampSequence',
    replace: 'return (await newest) > entry.stampSequence && (await newest) !== Infinity',
    tests,
  },
  {
    name: 'joiner-of-a-tagged-value-not-checked',
    does: 'who has joined a load takes its value, whatever was invalidated meanwhile',
    file: 'src/core/flights/load-settlement.ts',
    find: 'if (!flight.hasLateJoiners) return true',
    replace: 'if (!flight.hasLateJoiners || plan) return true',
    tests,
  },
  {
    name: 'memoised-tag-versions',
    does: 'a tag that was looked up once is taken for as old for ever',
    file: 'src/core/tags/tag-check.ts',
    find: 'return (await newest) > entry.stampSequence',
    replace:
      'const memo = ((engine as { memo?: Map<string, number> }).memo ??= new Map<string, number>())\n  if (!memo.has(tags.join())) memo.set(tags.join(), await newest)\n  return memo.get(tags.join())! > entry.stampSequence',
    tests,
  },
  {
    name: 'tag-table-of-another-epoch',
    does: 'a table of tags that has begun with another record answers for the entries of the lost one',
    file: 'src/memory/namespace-table.ts',
    find: "return `\\ud800${epoch.toString('latin1')}`",
    replace: 'return epoch.length === 0 ? `never` : `\\ud800`',
    tests: ['test/contract/memory-store.test.ts'],
  },
  {
    name: 'tags-follow-a-clock-set-back',
    does: 'a tag that is invalidated after the clock of the server was set back is older than what was stored before',
    file: 'src/redis/lua/bump-tags.lua',
    find: 'math.max(record.sequence + 1, now)',
    replace: 'now',
    tests: ['test/redis/tags.test.ts'],
  },
]
