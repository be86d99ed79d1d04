import type { Mutant } from './mutant.ts'

const tier = 'src/core/local/local-tier.ts'
const tests = ['test/unit/local/local-tier.test.ts']
const answers = ['test/unit/local/answers.test.ts']
/** What takes several processes and messages on their way. */
const fleet = ['test/simulation/copies.test.ts']
const changes = ['test/redis/changes.test.ts']

/** Copies that are answered without asking the store. */
export const copyMutants: readonly Mutant[] = [
  {
    name: 'copies-filled-unguarded',
    does: 'an answer is kept though its key has changed since the question was sent',
    file: tier,
    find: 'if (this.#changes.changedSince(wakeId, askedAt)) return',
    replace: '',
    tests: fleet,
  },
  {
    name: 'older-answer-over-a-told-copy',
    does: 'a change that a copy has already does not forbid older answers',
    file: tier,
    find: '    this.#changes.note(wakeId)\n    const slot',
    replace: '    const slot',
    tests: fleet,
  },
  {
    name: 'silent-bus-trusted',
    does: 'copies are answered though no pulse has come for long',
    file: tier,
    find: 'if (now >= copy.until || now >= this.#trust.until) return undefined',
    replace: 'if (now >= copy.until) return undefined',
    tests: fleet,
  },
  {
    name: 'clock-looked-at-now-and-then',
    does: 'the clock is looked at by one hit in a hundred, so that a process that was paused goes on trusting the bus',
    file: tier,
    find: 'if (now >= copy.until || now >= this.#trust.until) return undefined',
    replace: `this.looks = (this.looks ?? -1) + 1
    if (this.looks % 100 === 0) this.lookedAt = now
    if (now >= copy.until || this.lookedAt >= this.#trust.until) return undefined`,
    tests: fleet,
  },
  {
    name: 'own-late-commit-is-copied',
    does: 'a load keeps its value once its commit is answered, whatever was heard meanwhile',
    file: 'src/core/flights/load-settlement.ts',
    find: "if (outcome === 'stored') run.engine.local?.change(run.plan.key)",
    replace: `const { local, store } = run.engine
  if (outcome === 'stored') local?.remember(run.plan.key, entry, entry.tags, local.position, store.now(run.plan.key))`,
    tests: fleet,
  },
  {
    name: 'lost-change-unnoticed',
    does: 'a change whose message was lost is not noticed at the next message',
    file: 'src/core/local/bus-trust.ts',
    find: "return sequence === expected ? 'whole' : 'gap'",
    replace: "return 'whole'",
    tests,
  },
  {
    name: 'last-lost-change-unnoticed',
    does: 'a change whose message was lost is not noticed at the next pulse',
    file: 'src/core/local/bus-trust.ts',
    find: "const verdict = sequence === this.#sequence ? 'whole' : 'gap'",
    replace: "const verdict: BusVerdict = this.#sequence === undefined ? 'gap' : 'whole'",
    tests,
  },
  {
    name: 'pulse-counted-from-its-arrival',
    does: 'a pulse that was long under way proves as much as one that was not',
    file: tier,
    find: 'const ageMs = Math.max(0, storeNow - change.sentAt)',
    replace: 'const ageMs = storeNow * 0',
    tests,
  },
  {
    name: 'copies-with-a-fresh-ttl',
    does: 'a copy lives for the local ttl whatever is left of its freshness',
    file: tier,
    find: 'const until = Math.min(now + this.#ttlMs, freshUntil - entry.loadMs)',
    replace: 'const until = now + this.#ttlMs',
    tests,
  },
  {
    name: 'copies-outlive-their-tags',
    does: 'the tags of a copy are not looked at',
    file: tier,
    find: 'if (copy.tags.length !== 0 && this.#isBumped(copy, copy.tags)) return undefined',
    replace: '',
    tests,
  },
  {
    name: 'copies-for-readers-with-other-tags',
    does: 'a copy answers a reader whose tags were not looked up when it was made',
    file: tier,
    find: 'return tags === undefined || hasAll(copy, tags) ? copy : undefined',
    replace: 'return copy',
    tests: answers,
  },
  {
    name: 'copies-of-any-version',
    does: 'a copy answers for another version of a key that happens to stand in its place',
    file: tier,
    find: 'if (copy === undefined || copy.version !== version) return undefined\n    const now',
    replace: 'if (copy === undefined) return undefined\n    const now',
    tests: answers,
  },
  {
    name: 'own-change-keeps-neighbouring-copies',
    does: 'a change by this process drops the copies of its own version alone',
    file: 'src/core/calls/revoke-here.ts',
    find: 'for (const each of [version - 1, version, version + 1]) local.change({ key, version: each })',
    replace: 'local.change({ key, version })',
    tests: answers,
  },
  {
    name: 'look-ups-fill-unguarded',
    does: 'what get has read is kept whatever was heard while it read',
    file: 'src/core/calls/cached-entry.ts',
    find: 'fillCopy(engine, key, entry, engine.options.policy.tags, position, nowMs)',
    replace: 'fillCopy(engine, key, entry, engine.options.policy.tags, positionOf(engine), nowMs)',
    tests: answers,
  },
  {
    name: 'batches-fill-unguarded',
    does: 'what getMany has read is kept whatever was heard while it read',
    file: 'src/core/calls/get-many.ts',
    find: 'fillCopy(engine, key, entry, policy.tags, position, engine.store.now(key))',
    replace: 'fillCopy(engine, key, entry, policy.tags, positionOf(engine), engine.store.now(key))',
    tests: answers,
  },
  {
    name: 'forced-call-takes-a-copy',
    does: 'a copy answers a call with forceFresh',
    file: 'src/core/local/answer-with-copy.ts',
    find: '(options.forceFresh === true || options.signal?.aborted === true)',
    replace: 'options.signal?.aborted === true',
    tests: answers,
  },
  {
    name: 'forced-batch-takes-copies',
    does: 'copies answer a batch with forceFresh',
    file: 'src/core/calls/get-many.ts',
    find: 'if (!forceFresh && local !== undefined && answerByCopy',
    replace: 'if (local !== undefined && answerByCopy',
    tests: answers,
  },
  {
    name: 'suspect-copies-outlive-their-tags',
    does: 'a copy stands in for a lost store though this process has invalidated a tag of it',
    file: tier,
    find: 'return this.#isBumped(copy, copy.tags) || this.#isBumped(copy, tags) ? undefined : copy',
    replace: 'return this.#isBumped(copy, tags) ? undefined : copy',
    tests,
  },
  {
    name: 'lost-record-not-told-by-tags',
    does: 'a tag is invalidated after the namespace record was lost, and those who keep copies hear nothing of it',
    file: 'src/redis/lua/bump-tags.lua',
    find: "  announce(ARGV[2], 'x', '')\n",
    replace: '',
    tests: ['test/redis/local-tier.test.ts'],
  },
  {
    name: 'lost-record-not-told-by-stamps',
    does: 'a namespace record is made anew for a value to be stored, and those who keep copies hear nothing of it',
    file: 'src/redis/lua/stamp.lua',
    find: "  announce(ARGV[2], 'x', '')\n",
    replace: '',
    tests: changes,
  },
  {
    name: 'uncounted-change-untold',
    does: 'a change that the server cannot count is told to nobody',
    file: 'src/redis/lua/include/announce.lua',
    find: "if type(number) ~= 'number' then number = 0 end",
    replace: "if type(number) ~= 'number' then return end",
    tests: changes,
  },
]
