import { setTimeout as passed } from 'node:timers/promises'
import type { CallRequest } from '../../histories/messages.ts'
import { mostLoads, type Measured, type Row, type Size } from '../measured.ts'
import { Stage } from '../stage.ts'

const cooldownMs = 1000
const hardMs = 300

/** Every process asks for the key again and again, for a while. Returns how long that was. */
async function keepAsking(stage: Stage, request: CallRequest, forMs: number): Promise<number> {
  const startedAt = performance.now()
  const ask = async (): Promise<void> => {
    do {
      await Promise.all(stage.members.map(member => member.ask('getOrSet', request)))
      await passed(20)
    } while (performance.now() - startedAt < forMs)
  }
  await ask()
  return performance.now() - startedAt
}

/** Only these may reach callers. */
function withoutTyped(measured: Measured, typed: readonly string[]): Measured {
  const untyped = Object.keys(measured.errors).filter(name => name.startsWith('get') && !typed.some(code => name.endsWith(code)))
  const failures = untyped.map(name => `callers saw ${name}`)
  return { ...measured, failures: [...measured.failures, ...failures], failedReads: 0 }
}

async function failing(size: Size, ends: 'error' | 'never', typed: readonly string[], loadMs: number): Promise<Measured> {
  // A hung loader keeps its lease for one hard timeout longer.
  await using stage = await Stage.open(size, {
    options: { errorCooldown: cooldownMs, timeout: { hard: hardMs }, staleIfError: '1m', ttl: 200 },
    tellLoads: true,
  })
  const [without, withStale] = stage.freshKeys(2) as [number, number]
  await stage.members[0]?.ask('getOrSet', { keys: [withStale], plan: { takesMs: 1 } })
  await passed(250)
  const keys = [without, withStale]
  const tookMs = await keepAsking(stage, { keys, times: 10, plan: { takesMs: 5, ends } }, size === 'full' ? 10_000 : 1500)
  const begun = keys.map(key => stage.fleet.loads.filter(load => load.key === key).length - (key === withStale ? 1 : 0))
  const allowed = Math.ceil(tookMs / (cooldownMs + loadMs)) + 1
  stage.mended()
  await passed(cooldownMs + 2 * hardMs)
  await keepAsking(stage, { keys, plan: { takesMs: 5 } }, 200)
  const measured = await stage.finish({
    loads: [{ when: `in ${(tookMs / 1000).toFixed(0)} s, one per cooldown`, most: Math.max(...begun), allowed }],
  })
  let stale = 0
  for (let index = 0; index < stage.history.size; index++) {
    const { key, outcome } = stage.history.at(index)
    if (key !== withStale) continue
    if (outcome === 'stale') stale++
    stage.expect(
      outcome !== 'failed' && (outcome !== 'source-failed' || mostLoads(stage.history, [key]) === 0),
      'a stale value did not stand in',
    )
  }
  const standIns = stale > 0 ? [] : ['no stale value stood in']
  const { failures, notes, ...rest } = withoutTyped(measured, typed)
  return { ...rest, failures: [...failures, ...standIns], notes: [...notes, `${stale} stale answers`], recoveryMs: undefined }
}

export const loaderRows: readonly Row[] = [
  {
    name: 'loader-throws',
    title: 'loader throws',
    run: size => failing(size, 'error', ['the source failed', 'LOAD_COOLING'], 0),
  },
  {
    name: 'loader-hangs',
    title: 'loader hangs',
    run: size => failing(size, 'never', ['LOAD_TIMEOUT', 'LOAD_COOLING'], 2 * hardMs),
  },
]
