import type { Mutant } from './mutant.ts'

const engine = (name: string): string => `test/unit/engine/${name}.test.ts`

/** The vouching rule: a call may take a value only if its load, or the command that vouched for it, began after the call. */
export const vouchingMutants: readonly Mutant[] = [
  {
    name: 'join-after-the-commit-was-sent',
    does: 'whoever has a seat when the flight lands takes its answer',
    file: 'src/core/flights/flight.ts',
    find: "land('validBefore' in outcome && passenger.began >= outcome.validBefore ? { kind: 'restart' } : outcome)",
    replace: 'land(outcome)',
    tests: [engine('vouching')],
  },
  {
    name: 'commit-vouches-when-it-returns',
    does: 'an accepted commit vouches for all who came before its reply',
    file: 'src/core/flights/load-settlement.ts',
    find: 'validBefore: vouched ? sentSeq : load.loadSeq, source',
    replace: 'validBefore: vouched ? run.engine.sequence.next() : load.loadSeq, source',
    tests: [engine('vouching')],
  },
  {
    name: 'any-commit-vouches',
    does: 'a commit that was lost, late or unknown vouches like one that was stored',
    file: 'src/core/flights/load-settlement.ts',
    find: 'validBefore: vouched ? sentSeq : load.loadSeq, source',
    replace: 'validBefore: sentSeq, source',
    tests: [engine('revocation'), engine('unknown-outcomes')],
  },
  {
    name: 'any-release-vouches',
    does: 'a release vouches for a load that stored nothing, whether its token held or not',
    file: 'src/core/flights/load-settlement.ts',
    find: '? sentSeq : load.loadSeq\n}',
    replace: '? sentSeq : sentSeq\n}',
    tests: [engine('vouching')],
  },
  {
    name: 'acquired-value-for-everyone',
    does: 'a value that an acquire brought answers those who came after it was sent',
    file: 'src/core/flights/lease-acquisition.ts',
    find: "validBefore: purpose === 'force' ? firstSentSeq : sentSeq",
    replace: "validBefore: purpose === 'force' ? firstSentSeq : Infinity",
    tests: [engine('vouching')],
  },
  {
    name: 'forced-call-takes-an-older-load',
    does: 'forceFresh takes a value whose load began before the call',
    file: 'src/core/flights/lease-acquisition.ts',
    find: "validBefore: purpose === 'force' ? firstSentSeq : sentSeq",
    replace: 'validBefore: sentSeq',
    tests: [engine('flights')],
  },
  {
    name: 'forced-flight-stays-open',
    does: 'forceFresh joins a forced load that has begun before it',
    file: 'src/core/flights/flight-run.ts',
    find: "if (this.plan.purpose === 'force') this.#registry?.close(this.plan.id, this.flight)",
    replace: '',
    tests: [engine('force-fresh')],
  },
  {
    name: 'unleased-load-vouches-for-itself',
    does: 'a load beside a "do not queue" holder answers those who came after it began',
    file: 'src/core/flights/load-settlement.ts',
    find: 'outage !== undefined && !engine.ownInvalidations',
    replace: '!engine.ownInvalidations',
    tests: [engine('uncacheable')],
  },
  {
    name: 'own-invalidation-leaves-flights-open',
    does: 'a set, delete or expire does not close the loads of its own process',
    file: 'src/core/calls/revoke-here.ts',
    find: 'engine.flights.revoke(neighbour)',
    replace: '',
    tests: [engine('revocation')],
  },
  {
    name: 'own-invalidation-leaves-neighbours-open',
    does: 'an invalidation closes the loads of its own version alone',
    file: 'src/core/calls/revoke-here.ts',
    find: 'of [key.version - 1, key.version, key.version + 1]',
    replace: 'of [key.version]',
    tests: [engine('versions')],
  },
  {
    name: 'repeated-delete-revokes-once',
    does: 'a delete that is sent again leaves loads open that began between its tries',
    file: 'src/core/calls/writes.ts',
    find: 'for (let tries = 0; tries < invalidateTries; tries++) {\n    revokeKeyHere(engine, key)',
    replace: 'for (let tries = 0; tries < invalidateTries; tries++) {\n    if (tries === 0) revokeKeyHere(engine, key)',
    tests: [engine('flights')],
  },
  {
    name: 'revocation-spares-nobody',
    does: 'a revoked load does not answer those who came before it began either',
    file: 'src/core/flights/flight.ts',
    find: 'if (seat.passenger.began < this.#loadSeq) continue',
    replace: '',
    tests: [engine('revocation')],
  },
  {
    name: 'lost-load-stays-open',
    does: 'a load whose lease is lost can still be joined',
    file: 'src/core/flights/flight-run.ts',
    find: 'this.#registry?.close(plan.id, this.flight)\n    this.flight.revoke()',
    replace: 'this.flight.revoke()',
    tests: [engine('revocation'), engine('vouching')],
  },
  {
    name: 'revoked-seats-wait-for-the-landing',
    does: 'those who must start over do so only when the revoked load ends',
    file: 'src/core/flights/flight-run.ts',
    find: '    this.flight.revoke()\n',
    replace: '',
    tests: [engine('revocation')],
  },
  {
    name: 'join-a-read-on-the-wire',
    does: 'a read is shared with those who ask while it is on its way',
    file: 'src/redis/read-batch.ts',
    find: '    const joinable = timeoutMs === batch.timeoutMs\n',
    replace: `    const joinable = timeoutMs === batch.timeoutMs
    const wire = ((this as { wire?: Map<string, Promise<Buffer | null>> }).wire ??= new Map<string, Promise<Buffer | null>>())
    if (wire.has(key)) return wire.get(key)!
    const { shared } = batch
    queueMicrotask(() => {
      const sent = shared.get(key)
      if (sent === undefined) return
      wire.set(key, sent)
      void sent.then(() => wire.delete(key))
    })
`,
    tests: ['test/redis/reads.test.ts'],
  },
]
