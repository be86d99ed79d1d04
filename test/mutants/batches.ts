import type { Mutant } from './mutant.ts'

const batches = 'test/unit/batches/get-or-set-many.test.ts'
const resources = (name: string): string => `test/unit/resources/${name}.test.ts`

/** Batches and resources: one read and one load for many keys, under the rules of single ones. */
export const batchMutants: readonly Mutant[] = [
  {
    name: 'batch-joins-a-read-on-the-wire',
    does: 'many keys are read with an earlier read of the same keys that is on its way',
    file: 'src/redis/read-batch.ts',
    find: '    const limit = this.#limit()\n    if (keys.length <= limit) return this.#readAtOnce(keys, timeoutMs, record)',
    replace: `    const wire = ((this as { wire?: Map<string, Promise<readonly StoredBytes[]>> }).wire ??= new Map())
    const sent = wire.get(keys.join())
    if (sent !== undefined) return sent
    const limit = this.#limit()
    if (keys.length <= limit) {
      const reading = this.#readAtOnce(keys, timeoutMs, record)
      wire.set(keys.join(), reading)
      return reading.finally(() => wire.delete(keys.join()))
    }`,
    tests: ['test/unit/redis/read-batch.test.ts'],
  },
  {
    name: 'batch-leaves-with-the-first-key',
    does: 'the load of a batch does not wait for the acquires of its other keys',
    file: 'src/core/flights/load-batch.ts',
    find: 'if (--this.#lane.expected === 0) this.#lane.leave()',
    replace: '--this.#lane.expected\n    this.#lane.leave()',
    tests: [batches],
  },
  {
    name: 'batch-waits-for-other-holders',
    does: 'the load of a batch waits for keys that someone else is loading',
    file: 'src/core/flights/lease-acquisition.ts',
    find: '          arrival?.settle()\n',
    replace: '',
    tests: [batches],
  },
  {
    name: 'batch-fails-as-one',
    does: 'an Error for one key of a batch fails all of them',
    file: 'src/core/flights/load-batch.ts',
    find: 'if (value instanceof Error) reject(value)',
    replace: 'if (value instanceof Error) throw value',
    tests: [batches],
  },
  {
    name: 'batch-mixes-refreshes-with-calls',
    does: 'a refresh shares the load that callers wait for',
    file: 'src/core/flights/load-batch.ts',
    find: 'return background ? this.#background : this.#callers',
    replace: 'return background ? this.#callers : this.#callers',
    tests: [batches],
  },
  {
    name: 'batch-loader-is-not-seen-inside',
    does: 'a batch loader that asks for one of its own keys waits for itself',
    file: 'src/core/flights/load-attempt.ts',
    find: '    for (const parent of frame.parents) around.add(parent)\n',
    replace: '',
    tests: [batches],
  },
  {
    name: 'batch-signal-of-the-first-to-leave',
    does: 'the load of a batch is aborted when one of its keys is not wanted any more',
    file: 'src/core/flights/load-batch.ts',
    find: 'if (--this.#wanted === 0) this.#controller',
    replace: 'this.#controller',
    tests: [batches],
  },
  {
    name: 'batch-upgrade-looks-younger',
    does: 'a value of the version before is fresh for a whole ttl again',
    file: 'src/core/resources/previous-version.ts',
    find: '    context.setTtl(leftMs)\n',
    replace: '',
    tests: [resources('versions')],
  },
  {
    name: 'batch-upgrade-of-the-expired',
    does: 'a value of the version before that was marked stale is brought forward',
    file: 'src/core/resources/previous-version.ts',
    find: "if ('unreadable' in entry || entry.expired ||",
    replace: "if ('unreadable' in entry ||",
    tests: [resources('versions')],
  },
  {
    name: 'batch-schema-only-on-write',
    does: 'what is read is not validated',
    file: 'src/core/engine.ts',
    find: 'return schema === undefined ? value : schema.read(value, engine.codec.freeze)',
    replace: 'return value',
    tests: [resources('resource')],
  },
  {
    name: 'tags-of-the-value-forgotten',
    does: 'the tags that a definition takes from a value are not given to what is loaded',
    file: 'src/core/resources/value-policy.ts',
    find: 'if (rules.tagsOf !== undefined) context.tags.add(...rules.tagsOf(key, params, value))',
    replace: '',
    tests: [resources('tags')],
  },
  {
    name: 'upgrade-past-invalidated-tags',
    does: 'a value is brought forward although a tag that the new version gives it has been invalidated',
    file: 'src/core/resources/previous-version.ts',
    find: 'entry.standing(record, policyTags.length > 0 || tagsOf !== undefined)',
    replace: 'entry.standing(record, policyTags.length > 0)',
    tests: [resources('tags')],
  },
  {
    name: 'warm-passes-over-what-is-invalid',
    does: 'warm takes values for fresh whose tag has been invalidated, or that clear has made absent',
    file: 'src/core/resources/warm.ts',
    find: "if (!deferred && entry.standing(record, policy.tags.length > 0) === 'valid') return",
    replace: 'if (!deferred) return',
    tests: [resources('warm')],
  },
]
