import fc from 'fast-check'
import { isStoreError } from '../../../src/core/errors.ts'
import { isCanonicalKey } from '../../../src/core/keys/key-builder.ts'
import { decodeParams } from '../../../src/core/keys/key-decoding.ts'
import { commandFailure, connectionFailure } from '../../../src/redis/failures.ts'
import { decodeChange } from '../../../src/redis/changes.ts'
import { decodeWake, Keys } from '../../../src/redis/keys.ts'
import { parseRedirection } from '../../../src/redis/redirection.ts'
import { parseAcquireReply, parseCommitReply, parseFlag, parsePutReply } from '../../../src/redis/replies.ts'
import { parseTime } from '../../../src/redis/server-time.ts'
import { damaged, damages } from './damage.ts'
import { must, target, type FuzzTarget } from './target.ts'

const longestWake = 4 + 8192
const keys = new Keys('fuzz', '', 0, 512)
const key = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 400 }),
  fc.string({ unit: fc.constantFrom(...Array.from('%hu25D:\n\ud800a')), minLength: 1, maxLength: 400 }),
)
const place = fc.record({ key, version: fc.nat({ max: 65_535 }) })
const message = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes)),
  fc.tuple(place, damages).map(([of, all]) => damaged(keys.message(of), all)),
  fc.nat({ max: 9000 }).map(length => Buffer.concat([Buffer.from([1, 0x77, 0, 0]), Buffer.alloc(length, 'k')])),
)

const wake = target('bus message', message, given => {
  const wakeId = decodeWake(given)
  if (wakeId === undefined) return
  const colon = wakeId.indexOf(':')
  const [version, suffix] = [Number(wakeId.slice(0, colon)), wakeId.slice(colon + 1)]
  const again = Buffer.concat([Buffer.from([1, 0x77, version >> 8, version & 0xff]), Buffer.from(suffix)])
  must(suffix !== '' && given.length <= longestWake, 'a wake-up names a key and is no longer than keys are')
  must(again.equals(given), 'a wake-up names what stands in its bytes, every one of them')
})

const changeMessage = fc
  .tuple(fc.constantFrom(0x63, 0x74, 0x78, 0x70, 0x77), fc.nat(), fc.uint8Array({ maxLength: 60 }), damages)
  .map(([kind, sequence, body, all]) => {
    const head = Buffer.from([1, kind, 0, 0, 0, 0, 0, 0, 0, 0])
    head.writeDoubleBE(sequence, 2)
    return damaged(Buffer.concat([head, body]), all)
  })

const change = target('change', fc.oneof(message, changeMessage), given => {
  const found = decodeChange(given)
  if (found === undefined) return
  must(Number.isSafeInteger(found.sequence) && found.sequence >= 0, 'a change has a number')
  must(found.kind !== 'key' || found.token === undefined || found.token.length === 16, 'a token has 16 bytes')
})

/** What a Redis client may hand back: RESP values. */
const { reply: resp } = fc.letrec<{ reply: unknown }>(tie => ({
  reply: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    fc
      .constantFrom('value', 'granted', 'busy', 'unqueued', 'cooling', 'late', 'full', 'stored', 'lost', '')
      .chain(word => fc.constantFrom<unknown>(Buffer.from(word), word)),
    fc.integer({ min: -2, max: 2 }),
    fc.constantFrom<unknown>(null, 2 ** 53, 10n, Buffer.alloc(16, 1), Buffer.alloc(0), new Error('ERR no')),
    fc.uint8Array({ maxLength: 20 }).map(bytes => Buffer.from(bytes)),
    fc.array(tie('reply'), { maxLength: 5 }),
  ),
}))

/** Parses, or throws the one error that parsing declares. */
function parsed<Reply>(parse: () => Reply): Reply | undefined {
  try {
    return parse()
  } catch (error) {
    must(isStoreError(error) && error.code === 'STORE_UNSUPPORTED' && error.outcome === 'unknown', 'a reply or a StoreError')
    return undefined
  }
}

const word = (reply: unknown): string => {
  const [first] = Array.isArray(reply) ? (reply as unknown[]) : []
  return typeof first === 'string' || Buffer.isBuffer(first) ? String(first) : ''
}

const scriptReply = target('script reply', resp, reply => {
  const list = Array.isArray(reply) ? (reply as unknown[]) : []
  const acquired = parsed(() => parseAcquireReply(reply))
  if (acquired !== undefined) {
    must(acquired.kind === word(reply), 'an acquire is answered by the word that came')
    if (acquired.kind === 'value') must(acquired.bytes === list[1], 'a value is the bytes that came')
    if (acquired.kind === 'busy') {
      must(acquired.remainingMs === list[1] && acquired.holder === list[2], 'busy says what came')
      must((acquired.valueToken ?? Buffer.alloc(0)).equals(list[3] as Buffer), 'busy names the token that came, or none')
    }
    if (acquired.kind === 'cooling') must(acquired.remainingMs === list[2], 'cooling says what came')
  }
  const [committed, put] = [parsed(() => parseCommitReply(reply)), parsed(() => parsePutReply(reply))]
  must(committed === undefined || committed === word(reply), 'a commit is answered by the word that came')
  must(put === undefined || put === word(reply), 'a put is answered by the word that came')
  const flag = parsed(() => parseFlag('renew', reply))
  must(flag === undefined || Number(flag) === reply, 'a flag is 0 or 1')
  must(typeof parseTime(reply) === 'number', 'a time is a number, or NaN')
})

const secret = 'hunter2'
const errorText = fc
  .tuple(
    fc.constantFrom('ERR', 'OOM', 'WRONGTYPE', 'NOSCRIPT', 'MOVED', 'err', ''),
    fc.string({ maxLength: 60 }),
    fc.nat({ max: 5 }),
  )
  .map(
    ([code, text, form]) =>
      `${code} ${text}${['', `, with args '${secret}'`, ` "${secret}"`, ` args: ${secret}`, ` '${secret}`, ` command was: ${secret}`][form]}`,
  )

const clientError = target(
  'client error',
  fc.tuple(errorText, fc.boolean(), fc.constantFrom<unknown>(undefined, 'ECONNRESET', 5, secret)),
  ([text, isReply, code]) => {
    const error = Object.assign(new Error(text), { code, command: { args: [secret] } })
    if (isReply) error.name = 'ReplyError'
    for (const failure of [commandFailure('a read', error), connectionFailure(error)]) {
      must(isStoreError(failure) && failure.code.startsWith('STORE_'), 'every failure is a StoreError')
      must(
        !JSON.stringify([failure.message, failure]).includes(secret) && failure.cause === undefined,
        'no failure repeats arguments',
      )
    }
  },
)

const keyText = target(
  'key text',
  fc.string({ unit: fc.constantFrom(...Array.from('ab1#!@~%,=:()[]-n.0uD8h')), maxLength: 60 }),
  text => {
    must(typeof isCanonicalKey(text) === 'boolean', 'any text is a canonical key or not')
    const params = decodeParams(text)
    must(params === undefined || Object.getPrototypeOf(params) === null, 'any text spells parameters or not')
  },
)

const redisKey = target('Redis key', fc.tuple(place, fc.integer({ min: 128, max: 600 })), ([of, maxKeyBytes]) => {
  const suffix = new Keys('fuzz', '', 0, maxKeyBytes).suffix(of.key)
  must(Buffer.byteLength(suffix) <= maxKeyBytes, 'no key is longer than allowed')
  must(!/\p{Cc}/u.test(suffix), 'a key prints')
  must(!/%(?![0-9A-F]{2}|u[0-9A-F]{4}|h[\w-]{43}$)/.test(suffix), 'each % in a key begins an escape or a hash')
})

const address = fc.string({ unit: fc.constantFrom(...Array.from('ab1:.-[] 0965')), maxLength: 24 })
const movedTo = fc.tuple(fc.constantFrom('MOVED', 'ASK'), fc.nat({ max: 16_383 }), address)

const redirection = target('redirection', movedTo, ([code, slot, to]) => {
  const found = parseRedirection(Object.assign(new Error(`${code} ${slot} ${to}`), { name: 'ReplyError' }))
  must(found !== undefined, 'every redirection is seen')
  if (found.kind === 'retry') return
  must(found.kind === (code === 'ASK' ? 'ask' : 'moved'), 'a redirection keeps its kind')
  must(found.host !== '' && found.port > 0 && found.port < 65_536, 'a redirection names a server that can be')
  must(to.startsWith(`${found.host}:`), 'a redirection names the server that was told')
})

export const messageTargets: readonly FuzzTarget[] = [wake, change, scriptReply, clientError, redirection, keyText, redisKey]
