import type { Mutant } from './mutant.ts'

const tests = ['test/unit/local/validate.test.ts']
const reads = 'src/core/local/header-reads.ts'
const entries = 'src/codec/frozen-entry.ts'

/** Values that the store vouches for by their headers. */
export const rememberedMutants: readonly Mutant[] = [
  {
    name: 'header-of-another-token-accepted',
    does: 'a remembered value is answered whatever entry stands at its key',
    file: entries,
    find: ' || !sameToken(this.#remembered.header, header)',
    replace: '',
    tests,
  },
  {
    name: 'remembered-value-without-the-store',
    does: 'a header that was read once vouches for every later call',
    file: reads,
    find: 'const header = (await this.#store.readHeader?.(key, timeoutMs)) ?? null',
    replace:
      'const header = ((this as unknown as Record<string, Buffer | null>)[key.key] ??= (await this.#store.readHeader?.(key, timeoutMs)) ?? null)',
    tests,
  },
  {
    name: 'damaged-header-accepted',
    does: 'a header is trusted without a look at its mark',
    file: entries,
    find: ' || !hasMark(header)',
    replace: '',
    tests,
  },
]
