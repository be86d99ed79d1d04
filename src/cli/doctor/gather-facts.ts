import type { Redis } from 'ioredis'
import { replyCode } from '../../redis/failures.ts'
import { parseKey } from '../../redis/parse-key.ts'
import { RedisInfo } from '../redis-info.ts'
import { askRights, nothing } from './ask-rights.ts'
import type { ClockFact, Facts, Role, ScriptFact, SlowCommand } from './facts.ts'
import { Questions } from './questions.ts'
import { sampleKeys } from './sample-keys.ts'

/** What is asked of CONFIG: these and nothing else, since others hold passwords. */
const settings = [
  'tcp-keepalive',
  'save',
  'appendonly',
  'appendfsync',
  'slowlog-log-slower-than',
  'lazyfree-lazy-eviction',
  'lazyfree-lazy-expire',
  'lazyfree-lazy-server-del',
  'lazyfree-lazy-user-del',
  'replica-lazy-flush',
]
const slowLogEntries = 128

export interface GatherOptions {
  readonly role: Role
  readonly samples: number
  readonly keys: number
  readonly keyPrefix: string
  readonly database: number
  readonly namespace: string | undefined
  readonly user: string | undefined
  /** This machine's clock, ms since 1970. */
  readonly wallNow: () => number
  /** Told what is being done, for a progress line. */
  readonly say: (doing: string) => void
}

/** Asks the server everything that the checks need, and writes nothing. What it refuses to tell is left open. */
export async function gatherFacts(redis: Redis, options: GatherOptions): Promise<Omit<Facts, 'writeProbe'>> {
  const questions = new Questions(options.say)
  const clock = await readClock(redis, questions, options.wallNow)
  // Before the doctor's own commands could fill it.
  const slowLog = await readSlowLog(redis, questions, options.wallNow() + (clock?.aheadMs ?? 0))
  questions.begin('reading settings')
  const info = new RedisInfo((await questions.ask(() => redis.info('everything'))) ?? '')
  const config = await readConfig(redis, questions)
  const clusterText = info.number('cluster_enabled') === 1 ? await questions.ask(() => redis.cluster('INFO')) : undefined
  questions.begin('sampling keys')
  const serverNowMs = options.wallNow() + (clock?.aheadMs ?? 0)
  const sample = await questions.ask(() => sampleKeys(redis, options.keys, serverNowMs))
  const found = new Set(sample?.keys.flatMap(({ stored }) => (stored === undefined ? [] : [stored.owner])))
  const owners = options.namespace === undefined ? [...found] : [`${options.keyPrefix}${options.namespace}`]
  questions.begin('asking for rights')
  const scripts = (await questions.ask(() => tryScript(redis, owners[0]))) ?? 'unknown'
  const question = { user: options.user, owners, database: options.database }
  const rights = (await questions.ask(() => askRights(redis, question))) ?? nothing(options.user)
  questions.begin('timing round trips')
  // Last: it takes longest, and what a server that stops answering has told before is kept.
  const roundTripsMs = await timeRoundTrips(redis, questions, options.samples)
  return {
    role: options.role,
    info,
    config,
    roundTripsMs,
    clock,
    slowLog,
    scripts,
    rights,
    sample,
    cluster: clusterText === undefined ? undefined : new RedisInfo(clusterText),
    interruption: questions.interruption,
  }
}

async function timeRoundTrips(redis: Redis, questions: Questions, samples: number): Promise<number[]> {
  const times: number[] = []
  for (let left = samples; left > 0; left--) {
    const startedAt = performance.now()
    // A refusal takes as long as an answer.
    await questions.ask(() => redis.ping())
    if (questions.interruption !== undefined) break
    times.push(performance.now() - startedAt)
  }
  return times
}

const clockSamples = 5

/** The sample with the shortest round trip says most. */
async function readClock(redis: Redis, questions: Questions, wallNow: () => number): Promise<ClockFact | undefined> {
  let best: ClockFact | undefined
  for (let left = clockSamples; left > 0; left--) {
    const before = wallNow()
    const startedAt = performance.now()
    const reply = await questions.ask(() => redis.time())
    const tookMs = performance.now() - startedAt
    if (reply === undefined) return undefined
    const [seconds, micros] = reply.map(Number) as [number, number]
    const fact = { aheadMs: seconds * 1_000 + micros / 1_000 - (before + tookMs / 2), errorMs: tookMs / 2 }
    if (best === undefined || fact.errorMs < best.errorMs) best = fact
  }
  return best
}

async function readConfig(redis: Redis, questions: Questions): Promise<ReadonlyMap<string, string> | undefined> {
  const config = new Map<string, string>()
  for (const name of settings) {
    const reply = (await questions.ask(() => redis.call('CONFIG', 'GET', name))) as string[] | undefined
    if (reply === undefined) return undefined
    if (reply[1] !== undefined) config.set(name, reply[1])
  }
  return config
}

type SlowLogReply = [id: number, at: number, micros: number, args: string[], ...rest: unknown[]][]

async function readSlowLog(redis: Redis, questions: Questions, serverNowMs: number): Promise<SlowCommand[] | undefined> {
  const reply = (await questions.ask(() => redis.call('SLOWLOG', 'GET', slowLogEntries))) as SlowLogReply | undefined
  return reply?.map(([, at, micros, args]) => ({
    command: /^[a-z.|_-]{1,30}$/i.test(args[0] ?? '') ? (args[0] as string).toUpperCase() : 'unknown',
    tookMs: micros / 1_000,
    ageSeconds: serverNowMs / 1_000 - at,
    ours: args.slice(1).some(argument => parseKey(argument) !== undefined),
  }))
}

/** A script that nobody has loaded: the server says so if scripts may be run. */
async function tryScript(redis: Redis, owner: string | undefined): Promise<ScriptFact> {
  try {
    const keys = owner === undefined ? ['0'] : ['1', `${owner}:{p0000}:v:leasehold-doctor`]
    await redis.call('EVALSHA', '0'.repeat(40), ...keys)
    return 'unknown'
  } catch (error) {
    const code = replyCode(error)
    if (code === '') throw error
    if (code === 'NOSCRIPT' || code === 'MOVED') return 'works'
    if (code === 'NOPERM') return /\bkeys?\b/.test((error as Error).message) ? 'works' : 'forbidden'
    return code === 'ERR' ? 'missing' : 'unknown'
  }
}
