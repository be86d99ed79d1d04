import { Writable } from 'node:stream'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { logCache, type LogOptions } from '../../../src/observe/log/index.ts'
import { redactText } from '../../../src/observe/log/redact.ts'
import type { Cache } from '../../../src/core/cache.ts'
import { answered, refused } from '../../../src/testing/chaos-store.ts'
import { openFleet } from '../engine/stage.ts'

function logged(cache: Cache, options?: LogOptions): { readonly lines: Record<string, unknown>[]; readonly stop: () => void } {
  const lines: Record<string, unknown>[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const { time: _time, pid: _pid, hostname: _hostname, ...line } = JSON.parse(chunk.toString()) as Record<string, unknown>
      lines.push(line)
      done()
    },
  })
  return { lines, stop: logCache(cache, pino({ level: 'debug' }, stream), options) }
}

describe('the log of a cache', () => {
  it('tells of problems, not of calls', async () => {
    const { a, source, until } = openFleet()
    const { lines } = logged(a)
    await until(a.getOrSet('k', source.takes(10)))
    await a.getOrSet('k', source.takes(10))
    await until(a.getOrSet('bad', source.fails(10, Object.assign(new Error('no'), { code: 'E_DOWN' }))).catch(() => {}))
    expect(lines.filter(({ event }) => event !== 'connection')).toEqual([
      {
        level: 40,
        event: 'load',
        cache: 'test',
        key: 'bad',
        version: 0,
        outcome: 'failed',
        duration_ms: 10,
        leased: true,
        background: false,
        error: { type: 'Error', code: 'E_DOWN', message: 'no' },
        msg: 'a loader failed',
      },
    ])
  })

  it('has a line for each call, with trace_id and cache_hit, when asked', async () => {
    const { a, source, until } = openFleet()
    const { lines, stop } = logged(a, { calls: true, traceId: () => 'abc' })
    await until(a.getOrSet('k', source.takes(10)))
    await a.getOrSet('k', source.takes(10))
    await until(a.get('k'))
    await until(a.get('none'))
    stop()
    await a.getOrSet('k', source.takes(10))
    const calls = lines.filter(({ event }) => event !== 'connection')
    expect(calls.map(({ event, cache_hit }) => [event, cache_hit])).toEqual([
      ['miss', false],
      ['hit', true],
      ['lookup', true],
      ['lookup', false],
    ])
    expect(lines.every(line => line['trace_id'] === 'abc')).toBe(true)
  })

  it('leaves out lines beyond the limit, and says how many', async () => {
    const { a, clock, until } = openFleet({}, ({ command }) => (command === 'read' ? refused() : undefined))
    await clock.advance(1)
    const { lines } = logged(a, { linesPerSecond: 2 })
    for (let call = 0; call < 10; call++) await until(a.get('k'))
    await clock.advance(1000)
    await until(a.get('k'))
    expect(lines.map(({ event, suppressed }) => [event, suppressed])).toEqual([
      ['store-error', undefined],
      ['store-error', undefined],
      ['store-error', 8],
    ])
  })

  it('shows no keys unless it may', async () => {
    const { a, clock, until } = openFleet({}, ({ command }) => (command === 'read' ? answered(Buffer.from('x')) : undefined))
    await clock.advance(1)
    const { lines } = logged(a, { keys: false })
    await until(a.get('user:ada@example.com'))
    expect(lines).toEqual([
      {
        level: 50,
        event: 'decode-error',
        cache: 'test',
        version: 0,
        reason: 'foreign',
        bytes: 1,
        msg: 'stored bytes are no readable entry (foreign)',
      },
    ])
  })

  it.each(['SECRET-KEY', 'it"s-SECRET-KEY', `SECRET-KEY:${'x'.repeat(100)}`])(
    'shows the key %s in no message unless it may, nor tags',
    async key => {
      const { a, source, until } = openFleet()
      const { lines } = logged(a, { keys: false, calls: true })
      await until(a.set(key, () => 1).catch(() => {}))
      await until(a.getOrSet(key, source.fails(10, new Error(`no row for ${key}`))).catch(() => {}))
      await until(a.getOrSet('x', () => a.getOrSet(key, () => Promise.reject(new Error('no')))).catch(() => {}))
      await until(a.getOrSet('x', () => a.getOrSetMany([key], () => [() => 1])).catch(() => {}))
      await until(a.getOrSet('x', ({ tags }) => tags.add('SECRET-TAG'.padEnd(300, 'x'))).catch(() => {}))
      await until(a.getOrSet(key, () => a.getOrSet(key, () => 1)).catch(() => {}))
      await until(a.delete(key))
      await until(a.invalidateTags(['SECRET-TAG']))
      expect(new Set(lines.map(({ event }) => event))).toEqual(
        new Set(['encode-error', 'load', 'miss', 'invalidate', 'connection']),
      )
      expect(JSON.stringify(lines)).not.toMatch(/SECRET|xxx/)
      expect(JSON.stringify(lines)).toContain('no row for ***')
    },
  )

  it('leaves the words of a message whole, however short the key', async () => {
    const { a, source, until } = openFleet()
    const { lines } = logged(a, { keys: false })
    await until(a.getOrSet('o', source.fails(10, new Error('no row "o" for (o)'))).catch(() => {}))
    expect(lines.at(-1)).toMatchObject({ error: { message: 'no row "***" for (***)' } })
  })

  it('looks for secrets in tags', async () => {
    const { a, until } = openFleet()
    const { lines } = logged(a, { calls: true, secrets: ['s3kr1t'] })
    await until(a.invalidateTags(['token=hunter2', 'of:s3kr1t']))
    expect(lines.at(-1)).toMatchObject({ event: 'invalidate', tags: ['token=***', 'of:***'] })
  })

  it('tells of an error that cannot be read', async () => {
    const { a, until } = openFleet()
    const { lines } = logged(a)
    const unreadable = new Proxy(new Error('x'), {
      get: (target, name) => {
        if (name === 'then') return undefined
        throw new Error(`no ${String(name)} of ${target.name}`)
      },
    })
    await until(a.getOrSet('k', () => Promise.reject(unreadable)).catch(() => {}))
    expect(lines.filter(({ event }) => event === 'load')).toMatchObject([
      { msg: 'a loader failed', error: { message: 'an error that cannot be read' } },
    ])
  })

  it('shows no secrets that stand in keys and errors', async () => {
    const { a, source, until } = openFleet()
    const { lines } = logged(a, { calls: true, secrets: ['s3kr1t'] })
    const error = new Error('connect postgres://app:hunter2@db/shop failed, password=hunter2')
    await until(a.getOrSet('token=hunter2:s3kr1t', source.fails(10, error)).catch(() => {}))
    const text = JSON.stringify(lines)
    expect(text).not.toMatch(/hunter2|s3kr1t/)
    expect(text).toContain('connect postgres://***@db/shop failed, password=***')
  })

  it('wants a logger', () => {
    const { a } = openFleet()
    expect(() => logCache(a, {} as never)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', option: 'logger' }))
    expect(() => logCache(a, pino({ enabled: false }), { linesPerSecond: 0 })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', option: 'linesPerSecond' }),
    )
  })
})

describe('redaction', () => {
  it.each([
    ['redis://:p@host:6379/0', 'redis://***@host:6379/0'],
    ['rediss://user:a%40b@h', 'rediss://***@h'],
    ['{"password": "a b c", "x": 1}', '{"password": ***, "x": 1}'],
    ['Authorization: Bearer abc.def-1', 'Authorization: ***'],
    ['api_key=1234;x=2', 'api_key=***;x=2'],
    ['a bearer abc', 'a bearer ***'],
    ['Cookie: a=1; c=SENT\nHost: h', 'Cookie: ***\nHost: h'],
    ['{"cookie":"a=1; c=SENT","x":1}', '{"cookie":***,"x":1}'],
    ['Proxy-Authorization: Digest username="u", response="SENT"', 'Proxy-Authorization: ***'],
    [String.raw`{\"password\":\"SENT\",\"x\":1}`, String.raw`{\"password\":***,\"x\":1}`],
    [String.raw`{"password":"a\"SENT","x":1}`, '{"password":***,"x":1}'],
    ['{"password":"SENT', '{"password":***'],
    ["password 'SENT' is wrong", 'password *** is wrong'],
    ["{ 'password' => 'SENT' }", "{ 'password' => *** }"],
    ['password=a,SENT, user=u', 'password=***, user=u'],
    ['privateKey: SENT', 'privateKey: ***'],
    ['session=SENT&x=1', 'session=***&x=1'],
    ['jwt=SENT', 'jwt=***'],
    ['pass=SENT auth=SENT', 'pass=*** auth=***'],
    ['got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.SENT', 'got ***'],
    ['-----BEGIN RSA PRIVATE KEY-----\nSENT\n-----END RSA PRIVATE KEY----- x', '*** x'],
    ['mysql://root:SENT/w@h', 'mysql://***@h'],
    ['mysql://root:SE@NT/w@h', 'mysql://***@h'],
    ['redis://u:SENT@a:1,redis://u:SENT@b:2', 'redis://***@a:1,redis://***@b:2'],
    ['https://h:8080/a@b https://h/@a/b', 'https://h:8080/a@b https://h/@a/b'],
    ['Option "password" must be text', 'Option "password" must be text'],
    ['the author: Ada, surpasses: all', 'the author: Ada, surpasses: all'],
    ['user:1', 'user:1'],
    ['mail to ada@example.com', 'mail to ada@example.com'],
  ])('of %s gives %s', (text, shown) => {
    expect(redactText(text)).toBe(shown)
    expect(redactText(text)).not.toContain('SENT')
  })

  // If one of the patterns took time by the square of the length, this would take longer than a test may.
  it.each([
    'a.',
    'a-',
    'a://b:',
    'a://b:c/',
    '://',
    'password',
    'password=',
    'password="',
    "password '",
    'password=,',
    String.raw`password=\"`,
    String.raw`\\`,
    'token: bearer ',
    'cookie',
    'cookie:',
    'cookie:\n',
    'bearer ',
    'eyJ-',
    'eyJaaaaaaaa.',
    '-----BEGIN ',
    '-----BEGIN PRIVATE KEY-----',
    ' ',
    '@',
  ])('of a long text of %s comes to an end', piece => {
    const text = piece.repeat(60_000)
    expect(redactText(`${text} a://u:SENT@h`)).not.toContain('SENT')
  })
})
