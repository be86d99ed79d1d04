import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { freePort } from '../../scripts/start-redis.ts'
import { ownNamespace, sharedRedisUrl } from '../shared-redis.ts'
import { StoredState } from './stored-state.ts'

const script = fileURLToPath(new URL('exit-script.ts', import.meta.url))
const loader = import.meta.resolve('tsx')
const patienceMs = 30_000

interface End {
  readonly code: number | string | null
  readonly said: string
  readonly complained: string
}

/** Runs one act of the script in a process of its own. One that has to be killed ends with a signal in place of a code. */
function run(act: string, redisUrl: string, namespace: string): Promise<End> {
  return new Promise(resolve => {
    const args = ['--import', loader, script, act, redisUrl, namespace]
    execFile(process.execPath, args, { timeout: patienceMs, killSignal: 'SIGKILL' }, (error, said, complained) => {
      resolve({ code: error === null ? 0 : (error.signal ?? error.code ?? null), said, complained })
    })
  })
}

const acts = [
  ['a loader throws undefined', 'rejected'],
  ['a loader throws', 'rejected'],
  ['a loader returns undefined', 'fulfilled'],
  ['a loader never settles', 'rejected'],
  ['a loader never settles and nobody waits', 'rejected'],
  ['a loader passes its hard timeout', 'rejected'],
  ['a loader fulfils after close', 'rejected'],
  ['a loader rejects after close', 'rejected'],
  ['a loader throws undefined after close', 'rejected'],
  ['a background refresh fails', 'fulfilled'],
  ['a background refresh never settles', 'fulfilled'],
  ['nothing is called', 'fulfilled'],
] as const

describe('after close() the process ends by itself, with no unhandled rejection and no lease left behind', () => {
  it.concurrent.each(acts)('when %s', { timeout: patienceMs * 2 }, async (act, result) => {
    const namespace = ownNamespace()
    expect(await run(act, sharedRedisUrl(), namespace)).toEqual({ code: 0, said: result, complained: '' })
    await using stored = new StoredState(sharedRedisUrl(), namespace)
    expect(await stored.leasesHeld(['key'])).toBe(0)
  })

  it('when Redis was never there', async () => {
    const nowhere = `redis://127.0.0.1:${await freePort()}`
    expect(await run('a loader returns undefined', nowhere, ownNamespace())).toEqual({
      code: 0,
      said: 'fulfilled',
      complained: expect.stringMatching(/^.* LeaseholdWarning: Redis cannot be reached .*\n.*--trace-warnings.*\n$/) as string,
    })
  })
})
