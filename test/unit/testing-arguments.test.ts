import { describe, expect, it } from 'vitest'
import { memoryStore } from '../../src/index.ts'
import { chaosStore, inTurn, lostReply, seededRandom, slow, storeContract, virtualClock } from '../../src/testing/index.ts'
import type { ContractCase } from '../../src/testing/index.ts'

/** As JavaScript would call them. */
const untyped = <Result>(call: (...args: never[]) => Result, ...args: readonly unknown[]): Result => call(...(args as never[]))
const open = (): never => {
  throw new Error('not to be opened')
}
const contract = (subject: unknown): readonly ContractCase[] => untyped(storeContract, subject)

describe('what the testing aids are given', () => {
  it.each<readonly [string, () => unknown, string]>([
    ['slow', () => untyped(slow, '1s'), 'Option "requestMs" must be a number of milliseconds from 0; got "1s"'],
    ['slow', () => slow(5, -1), 'Option "replyMs" must be a number of milliseconds from 0; got -1'],
    ['inTurn', () => untyped(inTurn, { comit: [lostReply()] }), 'Unknown option "comit"; did you mean "commit"?'],
    ['inTurn', () => untyped(inTurn, undefined), 'Option "faults" must be an object'],
    ['inTurn', () => untyped(inTurn, { commit: lostReply() }), 'Option "commit" must be a list of faults; got an object'],
    ['inTurn', () => untyped(inTurn, { commit: [lostReply] }), 'Option "commit" must be a fault, such as lostReply()'],
    ['chaosStore', () => untyped(chaosStore, undefined), 'Option "provider" must be a store, such as memoryStore()'],
    ['chaosStore', () => untyped(chaosStore, memoryStore(), lostReply()), 'Option "script" must be a function'],
    ['virtualClock', () => untyped(virtualClock, '2026'), 'Option "start" must be a number of milliseconds since 1970'],
    ['shiftWall', () => untyped(virtualClock().shiftWall, '1s'), 'Option "ms" must be a finite number; got "1s"'],
    ['seededRandom', () => untyped(seededRandom, 'a'), 'Option "seed" must be a finite number; got "a"'],
    ['storeContract', () => contract({}), 'Option "open" must be a function; got undefined'],
    ['storeContract', () => contract(undefined), 'Option "subject" must be an object with open'],
    ['storeContract', () => contract({ open, ful: {} }), 'Unknown option "ful"; did you mean "full"?'],
    ['storeContract', () => contract({ open, clock: 5 }), 'Option "clock" must be a Clock; got 5'],
    ['storeContract', () => contract({ open, random: Math.random }), 'Option "random" must be a Random; got a function'],
    ['storeContract', () => contract({ open, full: {} }), 'Option "full" must be an object with fill and drain'],
    ['storeContract', () => contract({ open, tellsChanges: 0 }), 'Option "tellsChanges" must be true or false; got 0'],
    ['storeContract', () => contract({ open, pass: 5 }), 'Option "pass" must be a function; got 5'],
  ])('%s is refused by name: %s', (_name, call, message) => {
    expect(call).toThrow(message)
    expect(call).toThrow(expect.objectContaining({ code: expect.stringMatching(/^(INVALID|UNKNOWN)_OPTION$/) }))
  })

  it.each([['1s'], [NaN], [-1], [Infinity], [undefined]])('advance(%o) is refused, and the clock is as it was', async ms => {
    const clock = virtualClock()
    await expect(untyped(clock.advance, ms)).rejects.toMatchObject({ code: 'INVALID_OPTION', option: 'ms' })
    await clock.advance(5)
    expect(clock.now()).toBe(5)
  })

  it.each(['runUntilIdle', 'runUntilSettled'] as const)('the limit of %s is refused', async method => {
    const clock = virtualClock()
    const args = method === 'runUntilIdle' ? ['1h'] : [Promise.resolve(), '1h']
    const run = untyped<Promise<unknown>>(clock[method], ...args)
    await expect(run).rejects.toMatchObject({ code: 'INVALID_OPTION', option: 'limitMs' })
  })

  it('a script that answers with something else fails the call that it was asked about', async () => {
    const clock = virtualClock()
    const store = untyped(chaosStore, memoryStore(), () => lostReply)
    const listeners = { onWake: () => {}, onBus: () => {}, onReady: () => {} }
    const opened = store.open({ namespace: 'test', clock, random: seededRandom(1), maxKeyBytes: 512, listeners })
    await expect(async () => opened.read({ key: 'k', version: 0 }, 100)).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      option: 'script',
    })
  })
})

describe('the contract with a clock that is moved by hand', () => {
  const clock = virtualClock()
  const provider = memoryStore()

  it('asks for pass, without which its cases would wait for ever', () => {
    expect(() => storeContract({ open: context => provider.open(context), clock })).toThrow(
      'Option "pass" must be given with such a clock: pass: ms => clock.advance(ms)',
    )
  })

  it('holds with it', async () => {
    const cases = storeContract({ open: context => provider.open(context), clock, pass: ms => clock.advance(ms) })
    await cases[0]?.run()
    expect(cases.length).toBeGreaterThan(50)
  })
})
