import type { Redis } from 'ioredis'
import { replyCode } from '../../redis/failures.ts'
import type { RightsFact } from './facts.ts'
import { courtesyCommands, neededCommands } from './rights.ts'

export interface RightsQuestion {
  /** Whose rights. Default: the user of the connection. */
  readonly user: string | undefined
  /** Key prefix and namespaces that the user must reach; none: only commands are asked for. */
  readonly owners: readonly string[]
  readonly database: number
}

/** Arguments that make each command whole, for ACL DRYRUN. */
const sampleArguments: Readonly<Record<string, (key: string, channel: string) => readonly string[]>> = {
  eval: key => ['return 1', '1', key],
  evalsha: key => ['0'.repeat(40), '1', key],
  mget: key => [key],
  get: key => [key],
  set: key => [key, ''],
  getrange: key => [key, '0', '1'],
  setrange: key => [key, '0', ''],
  del: key => [key],
  unlink: key => [key],
  pttl: key => [key],
  pexpire: key => [key, '1'],
  zmscore: key => [key, ''],
  zadd: key => [key, '1', ''],
  zscore: key => [key, ''],
  zcard: key => [key],
  zrange: key => [key, '0', '1'],
  zrem: key => [key, ''],
  incr: key => [key],
  'pubsub|numsub': (_, channel) => [channel],
  publish: (_, channel) => [channel, ''],
  subscribe: (_, channel) => [channel],
  unsubscribe: (_, channel) => [channel],
  'client|setname': () => ['x'],
}

/** Asks by ACL DRYRUN, which executes nothing; a user that may not ask tries reads. */
export async function askRights(redis: Redis, question: RightsQuestion): Promise<RightsFact> {
  const user = question.user ?? (await whoAmI(redis))
  if (user === undefined) return question.user === undefined ? tryReads(redis, question) : nothing(question.user)
  try {
    const rights = await dryRun(redis, user, question)
    // Who is connected has logged in.
    const barred = question.user === undefined ? undefined : await whatBars(redis, user)
    return barred === undefined ? rights : { ...rights, barred }
  } catch (error) {
    if (replyCode(error) === '') throw error
    if (/User '.*' not found/.test((error as Error).message)) return { ...nothing(user), extent: 'no such user' }
    return question.user === undefined ? { ...(await tryReads(redis, question)), user } : nothing(user)
  }
}

async function whoAmI(redis: Redis): Promise<string | undefined> {
  try {
    return String(await redis.call('ACL', 'WHOAMI'))
  } catch (error) {
    if (replyCode(error) === '') throw error
    return undefined
  }
}

/** Undefined too where the user of the connection may not look. */
async function whatBars(redis: Redis, user: string): Promise<RightsFact['barred']> {
  try {
    const fields = (await redis.call('ACL', 'GETUSER', user)) as unknown[]
    const list = (name: string): readonly unknown[] => {
      const value: unknown = fields[fields.indexOf(name) + 1]
      return Array.isArray(value) ? value : []
    }
    const flags = list('flags')
    if (!flags.includes('on')) return 'off'
    return flags.includes('nopass') || list('passwords').length > 0 ? undefined : 'no password'
  } catch (error) {
    if (replyCode(error) === '') throw error
    return undefined
  }
}

async function dryRun(redis: Redis, user: string, { owners, database }: RightsQuestion): Promise<RightsFact> {
  const missing = new Set<string>()
  const missingCourtesy = new Set<string>()
  for (const owner of owners.length === 0 ? [undefined] : owners) {
    const key = `${owner ?? 'leasehold-doctor'}:{p0000}:v:leasehold-doctor`
    const channel = `${owner ?? 'leasehold-doctor'}:bus${database === 0 ? '' : `:${database}`}`
    for (const command of [...neededCommands, ...courtesyCommands]) {
      const args = sampleArguments[command]?.(key, channel) ?? []
      const answer = String(await redis.call('ACL', 'DRYRUN', user, ...command.split('|'), ...args))
      if (answer === 'OK') continue
      const lacks = lacking(
        answer,
        command,
        owner === undefined ? undefined : `${owner}:*`,
        owner === undefined ? undefined : channel,
      )
      const isCourtesy = (courtesyCommands as readonly string[]).includes(command)
      if (lacks !== undefined) (isCourtesy ? missingCourtesy : missing).add(lacks)
    }
  }
  return {
    user,
    extent: 'all',
    missing: [...missing],
    missingCourtesy: [...missingCourtesy].filter(right => !missing.has(right)),
  }
}

/** Keys and channels count only when the namespace is known. */
function lacking(answer: string, command: string, keys: string | undefined, channel: string | undefined): string | undefined {
  if (/\bchannels?\b/.test(answer)) return channel === undefined ? undefined : `channel ${channel}`
  if (/\bkeys?\b/.test(answer)) return keys === undefined ? undefined : `keys ${keys}`
  return command
}

async function tryReads(redis: Redis, { owners }: RightsQuestion): Promise<RightsFact> {
  const key = `${owners[0] ?? 'leasehold-doctor'}:{p0000}:v:leasehold-doctor`
  const reads = ['ping', 'role', 'time', 'mget', 'get', 'getrange', 'pttl', 'evalsha'] as const
  const missing: string[] = []
  let answered = false
  for (const command of reads) {
    try {
      await redis.call(command, ...(sampleArguments[command]?.(key, '') ?? []))
      answered = true
    } catch (error) {
      if (replyCode(error) === '') throw error
      if (replyCode(error) === 'NOSCRIPT') answered = true
      if (replyCode(error) !== 'NOPERM') continue
      const aboutKey = /\bkeys?\b/.test((error as Error).message)
      if (!aboutKey) missing.push(command)
      else if (owners.length > 0) missing.push(`keys ${owners[0]}:*`)
    }
  }
  return { user: undefined, extent: answered ? 'reads' : 'none', missing: [...new Set(missing)], missingCourtesy: [] }
}

/** Nothing is known of this user's rights. */
export function nothing(user: string | undefined): RightsFact {
  return { user, extent: 'none', missing: [], missingCourtesy: [] }
}
