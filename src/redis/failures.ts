import { StoreError, type StoreErrorCode } from '../core/errors.ts'

type Outcome = StoreError['outcome']

/** First words of Redis's error replies to commands that it did not run. */
const refusals: Readonly<Record<string, StoreErrorCode>> = {
  OOM: 'STORE_FULL',
  NOAUTH: 'STORE_REFUSED',
  WRONGPASS: 'STORE_REFUSED',
  NOPERM: 'STORE_REFUSED',
  READONLY: 'STORE_UNAVAILABLE',
  LOADING: 'STORE_UNAVAILABLE',
  MASTERDOWN: 'STORE_UNAVAILABLE',
  CLUSTERDOWN: 'STORE_UNAVAILABLE',
  MISCONF: 'STORE_UNAVAILABLE',
  NOREPLICAS: 'STORE_UNAVAILABLE',
  BUSY: 'STORE_UNAVAILABLE',
  MOVED: 'STORE_UNAVAILABLE',
  ASK: 'STORE_UNAVAILABLE',
  TRYAGAIN: 'STORE_UNAVAILABLE',
  NOSCRIPT: 'STORE_UNAVAILABLE',
}

/** What ioredis says of a command that it did not write to the socket. */
const unwritten = "Stream isn't writeable"
/** What ioredis says of bytes that are no reply. */
const unparsable = /Please report this\.$/
const maxDetailLength = 120

/** The first word of an error reply, `''` when the error did not come from the server. */
export function replyCode(error: unknown): string {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return ''
  return /^-?([A-Z]+)(?: |$)/.exec(error.message)?.[1] ?? ''
}

/**
 * A failed command as a store error. The client's own error is not kept, not even as a cause: it carries the arguments, and so
 * keys, values and passwords.
 */
export function commandFailure(command: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error
  const code = replyCode(error)
  const refusal = refusals[code]
  const forbidden = code === '' ? undefined : permission((error as Error).message)
  if (refusal !== undefined) {
    // A script may have done a part of its work before it met what it may not do.
    const ran: Outcome = /script: /.test((error as Error).message) && forbidden !== undefined ? 'unknown' : 'not-executed'
    return new StoreError(refusal, ran, `Redis refused ${command}: ${code}${forbidden === undefined ? '' : ` (${forbidden})`}`)
  }
  if (code !== '') {
    const detail = forbidden ?? redact(error as Error)
    return new StoreError('STORE_REFUSED', 'unknown', `Redis failed ${command}: ${detail}`)
  }
  const outcome: Outcome = error instanceof Error && error.message.startsWith(unwritten) ? 'not-executed' : 'unknown'
  return new StoreError(
    'STORE_UNAVAILABLE',
    outcome,
    `The connection to Redis was lost during ${command}${bracketed(systemCode(error))}`,
  )
}

/** A connection that could not be made or set up. */
export function connectionFailure(error: unknown): StoreError {
  if (error instanceof StoreError) return error
  const code = replyCode(error)
  if (code === '') {
    return error instanceof Error && unparsable.test(error.message)
      ? unreachable('the server does not speak Redis')
      : unreachable(tlsReason(systemCode(error)))
  }
  const refusal = /max number of clients/.test((error as Error).message)
    ? 'STORE_UNAVAILABLE'
    : (refusals[code] ?? 'STORE_REFUSED')
  const forbidden = permission((error as Error).message)
  const detail = forbidden === undefined ? redact(error as Error) : `${code} (${forbidden})`
  return new StoreError(refusal, 'not-executed', `Redis refused the connection: ${detail}`)
}

/** No Sentinel has named a primary. The client tells what each said as text alone, behind its address. */
export function sentinelFailure(errors: readonly unknown[]): StoreError {
  const texts = errors.map(error => (error instanceof Error ? error.message : ''))
  const refused = texts.map(text => / because (NOAUTH|WRONGPASS|NOPERM)\b/.exec(text)?.[1] ?? '')
  const [refusal = ''] = refused.filter(code => code !== '')
  const advice = `${refusal}; are sentinelUsername and sentinelPassword right?`
  if (refusal !== '' && !refused.includes(''))
    return new StoreError('STORE_REFUSED', 'not-executed', `Every Sentinel refused the connection: ${advice}`)
  if (texts.some(text => /No such master|invalid reply/.test(text)))
    return unreachable('no Sentinel knows a primary of this name')
  return unreachable(refusal === '' ? 'no Sentinel answers' : `a Sentinel refused the connection, ${advice}`)
}

/** A connection that could not be made, and why. */
export function unreachable(reason: string): StoreError {
  return new StoreError('STORE_UNAVAILABLE', 'not-executed', `Redis cannot be reached${bracketed(reason)}`)
}

/** Whether it says no more than that there is no connection. */
export function isUnexplained({ message }: StoreError): boolean {
  return message === unreachable('').message
}

/** The same failure as an error of its own, whose stack is that of whoever meets it now. */
export function again({ code, outcome, message }: StoreError): StoreError {
  return new StoreError(code, outcome, message)
}

export function notConnected(): StoreError {
  return new StoreError('STORE_UNAVAILABLE', 'not-executed', 'There is no connection to Redis at the moment')
}

export function timedOut(command: string, timeoutMs: number, sent: boolean): StoreError {
  if (sent)
    return new StoreError('STORE_TIMEOUT', 'unknown', `Redis did not answer ${command} within ${Math.round(timeoutMs)} ms`)
  return new StoreError(
    'STORE_UNAVAILABLE',
    'not-executed',
    `${command} found no server that takes it within ${Math.round(timeoutMs)} ms`,
  )
}

/**
 * What an ACL does not allow. Of the names in Redis's own text only a command's is kept: it is one that Leasehold has sent, while
 * users, keys and channels are the application's.
 */
function permission(message: string): string | undefined {
  if (!/^NOPERM |^ERR The user executing the script can't /.test(message)) return undefined
  const command = /the '([a-z|_-]{1,40})' command/i.exec(message)?.[1]
  if (command !== undefined) return `no permission for the command ${command.toLowerCase()}`
  if (/ channels?\b/.test(message)) return 'no permission for the channel'
  if (/ keys?\b/.test(message)) return 'no permission for the key'
  return 'no permission for a command of the script'
}

/** Redis repeats arguments of commands it does not know; everything from there on is cut. */
function redact(error: Error): string {
  return error.message.replace(/[,:]? ?(?:with args|script:|command was:|args:|['"`]).*$/s, '').slice(0, maxDetailLength)
}

function systemCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[A-Z_0-9]+$/.test(code) ? code : ''
}

/** Of the codes of Node and OpenSSL: what is wrong with TLS, in words. */
function tlsReason(code: string): string {
  if (/CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE/.test(code)) return `TLS: ${code}; does it ask for a client certificate?`
  if (/CERT|SIGNATURE|ERR_TLS/.test(code)) return `TLS: its certificate is not accepted, ${code}`
  if (/^ERR_SSL|^EPROTO$/.test(code)) return `TLS: no handshake, ${code}; does it speak TLS?`
  return code
}

/** A server that takes the connection and ends it before it has said anything. Undefined when the error says more than that. */
export function hangUp(error: unknown, overTls: boolean): StoreError | undefined {
  if (error !== undefined && !['ECONNRESET', 'EPIPE'].includes(systemCode(error))) return undefined
  return unreachable(
    overTls
      ? 'TLS: it hangs up after the handshake; does it ask for a client certificate?'
      : 'it hangs up at once; does it speak TLS alone, as rediss:// does?',
  )
}

function bracketed(reason: string): string {
  return reason === '' ? '' : ` (${reason})`
}
