import { inspect } from 'node:util'
import { Redis, type RedisOptions } from 'ioredis'
import { Redis as Redis5, type RedisOptions as RedisOptions5 } from 'ioredis5'
import { describe, expect, it } from 'vitest'
import { LeaseholdError } from '../../../src/core/errors.ts'
import { redisStore, type RedisTarget } from '../../../src/redis/index.ts'
import { resolveTarget } from '../../../src/redis/target.ts'

/** The error that an argument is refused with. */
function refusal(target: unknown): LeaseholdError {
  try {
    redisStore(target as RedisTarget)
  } catch (error) {
    if (error instanceof LeaseholdError) return error
    throw new Error('not refused with a LeaseholdError', { cause: error })
  }
  throw new Error(`not refused: ${inspect(target)}`)
}

function optionsOf(target: RedisTarget): RedisOptions {
  const resolved = resolveTarget(target)
  if (resolved.kind !== 'single') throw new Error('a cluster')
  return resolved.client.options
}

describe('a URL', () => {
  it.each([
    'redis://user:S3CRET#ss@S3CRET.internal:6379',
    'redis://user:S3CRET@redis.internal:99999/0',
    'redis://user:S3CRET%zz@h/0',
    'redis://S3CRET%:pw@h/0',
    'redis://user:S3CRET/ss@h:6379',
    'redis://user:12/S3CRET@h:6379',
    'redis://user:12#S3CRET@h:6379',
    'redis://user:12?S3CRET@h:6379',
    'redis://user:12?S3CRET=1&x@h:6379',
    'redis://user:S3CRET@h:6379/cache',
    'redis://user:S3CRET@h:6379/1x',
    'redis://user:S3CRET@h:6379?cache=1',
  ])('that cannot be meant so is refused without a word of it: %s', url => {
    const error = refusal(url)
    expect(error).toMatchObject({ code: 'INVALID_OPTION', option: 'store' })
    expect(inspect(error, { showHidden: true, depth: 9 })).not.toMatch(/S3CRET|user:|zz@/)
    expect(error.cause).toBeUndefined()
    expect(error.message).toContain('percent-encode')
  })

  it.each([
    ['redis://h', { host: 'h', port: 6379, db: 0 }],
    ['redis://h/', { host: 'h', db: 0 }],
    ['redis://:p%23ss@h:1/2', { host: 'h', port: 1, db: 2, password: 'p#ss' }],
    ['rediss://user:p%25@h:65535', { port: 65_535, username: 'user', password: 'p%', tls: true }],
    ['redis://[::1]:7000?db=3&keyPrefix=app:&family=6', { host: '::1', db: 3, keyPrefix: 'app:', family: 6 }],
  ])('that is one is read: %s', (url, options) => {
    expect(optionsOf(url)).toMatchObject(options)
    expect(optionsOf(new URL(url))).toMatchObject(options)
  })
})

describe('the database in a URL', () => {
  it.each(['redis://h?db=x', 'redis://h?db=1x', 'redis://h?port=1x'])('is a number: %s', url => {
    expect(refusal(url).message).toContain('no number')
  })
})

describe('ioredis options', () => {
  it.each<[object | number, string]>([
    [{ db: 'a' }, 'db'],
    [{ db: '1x' }, 'db'],
    [{ db: -1 }, 'database'],
    [{ db: 1.5 }, 'database'],
    [{ db: Number.NaN }, 'database'],
    [{ port: 'x' }, 'port'],
    [{ port: '63 79' }, 'port'],
    [{ port: 0 }, 'port'],
    [{ port: 65_536 }, 'port'],
    [{ hsot: 'redis.internal' }, 'hsot'],
    [{ hsot: 'redis.internal', port: 6380 }, 'hsot'],
    [{ url: 'redis://h', password: 'S3CRET' }, 'url'],
    [{ host: 'redis://h' }, 'host'],
    [{ host: 5, port: 6379 }, 'host'],
    [{ host: 'h', keyPrefix: 5 }, 'keyPrefix'],
    [{ path: {} }, 'path'],
    [{ sentinels: [], name: 'm' }, 'sentinels'],
    [{ sentinels: 'x', name: 'm' }, 'sentinels'],
    [{ sentinels: ['h:26379'], name: 'm' }, 'sentinels'],
    [{ sentinels: [{ host: 'h' }] }, 'no name'],
    [{ sentinels: [{ host: 'h' }], name: 5 }, 'name'],
    [{ host: 'h', port: 6379, password: 'S3CRET', database: 3 }, 'database, which ioredis calls db'],
    [new Date(), 'neither'],
    [Promise.resolve('redis://h'), 'neither'],
    [[{ host: 'h' }], 'neither'],
    [6379, 'neither'],
  ])('that cannot be right are refused by name: %o', (options, named) => {
    const error = refusal(options)
    expect(error).toMatchObject({ code: 'INVALID_OPTION', option: 'store', message: expect.stringContaining(named) as string })
    expect(inspect(error)).not.toContain('S3CRET')
  })

  it.each([new Redis({ lazyConnect: true, db: Number.NaN }), new Redis5({ lazyConnect: true, db: Number.NaN })])(
    'of a client are checked too',
    client => {
      expect(refusal(client).message).toContain('database')
    },
  )

  it('that say as text what is a number are taken', () => {
    expect(optionsOf({ port: '6380', db: '2' } as unknown as RedisOptions)).toMatchObject({ port: 6380, db: 2 })
  })

  it('that this version does not know are taken beside the name of a server', () => {
    expect(optionsOf({ host: 'h', someLaterOption: 1 } as RedisOptions)).toMatchObject({ host: 'h' })
    expect(optionsOf({ path: '/tmp/redis.sock', someLaterOption: 1 } as RedisOptions)).toMatchObject({ path: '/tmp/redis.sock' })
  })

  it('are all known', () => {
    for (const name of Object.keys(everyOption)) expect(() => redisStore({ [name]: undefined }), name).not.toThrow()
  })
})

/** The compiler sees to it that none is missing. */
const everyOption: Record<keyof RedisOptions | keyof RedisOptions5, true> = {
  Connector: true,
  autoPipeliningIgnoredCommands: true,
  autoResendUnfulfilledCommands: true,
  autoResubscribe: true,
  blockingTimeout: true,
  blockingTimeoutGrace: true,
  clientInfoTag: true,
  commandQueue: true,
  commandTimeout: true,
  connectTimeout: true,
  connectionName: true,
  db: true,
  disableClientInfo: true,
  disconnectTimeout: true,
  enableAutoPipelining: true,
  enableOfflineQueue: true,
  enableReadyCheck: true,
  enableTLSForSentinelMode: true,
  failoverDetector: true,
  family: true,
  himportFieldsets: true,
  host: true,
  keepAlive: true,
  keyPrefix: true,
  lazyConnect: true,
  maxLoadingRetryTime: true,
  maxRetriesPerRequest: true,
  monitor: true,
  name: true,
  natMap: true,
  noDelay: true,
  offlineQueue: true,
  password: true,
  path: true,
  port: true,
  preferredSlaves: true,
  protocol: true,
  readOnly: true,
  reconnectOnError: true,
  replyMapping: true,
  retryStrategy: true,
  role: true,
  scripts: true,
  sentinelCommandTimeout: true,
  sentinelMaxConnections: true,
  sentinelPassword: true,
  sentinelReconnectStrategy: true,
  sentinelRetryStrategy: true,
  sentinelTLS: true,
  sentinelUsername: true,
  sentinels: true,
  showFriendlyErrorStack: true,
  socketTimeout: true,
  stringNumbers: true,
  tls: true,
  updateSentinels: true,
  username: true,
}
