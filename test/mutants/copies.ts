import type { Mutant } from './mutant.ts'

const tier = 'src/core/local/local-tier.ts'
const tests = ['test/unit/local/local-tier.test.ts']

/** Copies that are answered without asking the store. */
export const copyMutants: readonly Mutant[] = [
  {
    name: 'copies-filled-unguarded',
    does: 'an answer is kept though its key has changed since the question was sent',
    file: tier,
    find: 'if (this.#changes.changedSince(wakeId, askedAt)) return',
    replace: '',
    tests,
  },
  {
    name: 'older-answer-over-a-told-copy',
    does: 'a change that a copy has already does not forbid older answers',
    file: tier,
    find: '    this.#changes.note(wakeId)\n    const key',
    replace: '    const key',
    tests,
  },
  {
    name: 'silent-bus-trusted',
    does: 'copies are answered though no pulse has come for long, as after a pause of the process',
    file: tier,
    find: 'if (now >= copy.until || now >= this.#trust.until) return undefined',
    replace: 'if (now >= copy.until) return undefined',
    tests,
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
    find: 'return copy.tags.length === 0 || !this.#isBumped(copy) ? copy : undefined',
    replace: 'return copy',
    tests,
  },
]
