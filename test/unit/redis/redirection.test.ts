import { describe, expect, it } from 'vitest'
import { parseRedirection, redirectionDelayMs } from '../../../src/redis/redirection.ts'

const replied = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' })

describe('a redirection', () => {
  it.each([
    ['MOVED 3999 127.0.0.1:6381', { kind: 'moved', host: '127.0.0.1', port: 6381 }],
    ['ASK 3999 10.0.0.7:65535', { kind: 'ask', host: '10.0.0.7', port: 65_535 }],
    ['MOVED 3999 ::1:6381', { kind: 'moved', host: '::1', port: 6381 }],
    ['MOVED 3999 node-1.example:6381', { kind: 'moved', host: 'node-1.example', port: 6381 }],
  ])('names the server that has the key now: %s', (message, expected) => {
    expect(parseRedirection(replied(message))).toEqual(expected)
  })

  it.each([
    'TRYAGAIN Multiple keys request during rehashing of slot',
    'CLUSTERDOWN The cluster is down',
    'MOVED 3999 :6381',
    'MOVED 3999',
    'MOVED',
    'ASK 3999 host:0',
    'ASK 3999 host:65536',
    'ASK 3999 host:port',
    'ASK 3999 6381',
  ])('that names nobody is tried again: %s', message => {
    expect(parseRedirection(replied(message))).toEqual({ kind: 'retry', host: '', port: 0 })
  })

  it.each([replied('ERR no'), replied('OOM no'), new Error('MOVED 1 a:1'), undefined, 'MOVED 1 a:1'])(
    'is not seen in %o',
    error => {
      expect(parseRedirection(error)).toBeUndefined()
    },
  )

  it('is followed ever more slowly, but within 50 ms', () => {
    expect([0, 1, 2, 3, 4, 20].map(redirectionDelayMs)).toEqual([5, 10, 20, 40, 50, 50])
  })
})
