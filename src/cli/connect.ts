import { connect as dial } from 'node:net'
import type { Redis, RedisOptions } from 'ioredis'
import { connectionFailure, replyCode, unreachable } from '../redis/failures.ts'
import { CliError } from './cli-error.ts'

const answerTimeoutMs = 5_000
const refusalTimeoutMs = 1_000

/** A person waits for each command, so nothing is tried twice. */
export const settings: RedisOptions & { replyMapping: 'legacy' } = {
  lazyConnect: true,
  retryStrategy: () => null,
  maxRetriesPerRequest: 0,
  enableReadyCheck: false,
  autoResubscribe: false,
  connectTimeout: answerTimeoutMs,
  commandTimeout: answerTimeoutMs,
  disconnectTimeout: 100,
  connectionName: 'leasehold-cli',
  // Keys are spelled out, and sampled ones have their prefix already.
  keyPrefix: '',
  protocol: 2,
  replyMapping: 'legacy',
}

export interface Address {
  readonly host: string
  readonly port: number
}

/**
 * A connection like `template`'s that has answered once.
 *
 * @throws CliError with the reason: nobody listens, nobody answers, or Redis refuses
 */
export async function connect(template: Redis, label: string, elsewhere?: Address): Promise<Redis> {
  const client = template.duplicate({ ...settings, ...elsewhere })
  const { host = '127.0.0.1', port = 6379, tls } = client.options
  let fault: unknown
  let connected = false
  client.on('error', (error: unknown) => (fault ??= error)).on('connect', () => (connected = true))
  try {
    if (!(await withinTime(greet(client)))) fault = connected ? new CliError(silent(label)) : unreachable('ETIMEDOUT')
    if (fault === undefined) return client
  } catch (error) {
    // A refused user may well speak to the server; what it may not do shows later.
    if (replyCode(error) === 'NOPERM' && fault === undefined) return client
    fault ??= error
  }
  client.disconnect()
  if (fault instanceof CliError) throw fault
  if (tls === undefined && replyCode(fault) === '' && (await isFull({ host, port })))
    throw new CliError(`${label}: Redis has no free connection: as many clients as maxclients allows are connected`)
  const { message } = connectionFailure(fault)
  const unencrypted = tls !== undefined && replyCode(fault) === '' && !message.includes('ECONNREFUSED')
  throw new CliError(
    `${label}: ${message}${unencrypted ? '; rediss:// needs a port that speaks TLS, and redis:// is for one without' : ''}`,
  )
}

/** What there is to say of a server that takes a connection and then says nothing. */
function silent(label: string): string {
  return `${label}: connected, but Redis does not answer within ${answerTimeoutMs / 1_000} s`
}

/** `host:port`, an IPv6 address in brackets. */
export function addressText({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Whether a connection was lost, before a command or with it. */
export function isLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return /^(Connection is closed|Stream isn't writeable)/.test(error.message) || ('syscall' in error && 'code' in error)
}

/** Whether a command got no answer in time, on a connection that stands. */
export function isSilence(error: unknown): boolean {
  return error instanceof Error && error.message === 'Command timed out'
}

async function greet(client: Redis): Promise<void> {
  await client.connect()
  await client.ping()
  // Looking at keys must not make them look popular. Servers before 7.2 cannot be told, and those of a cluster must not be: Redis 8.0.2 and Valkey 8.1.1 crash
  // when such a client asks for a key whose slot is moving.
  if (await standsAlone(client)) await client.call('CLIENT', 'NO-TOUCH', 'ON').catch(() => {})
}

async function standsAlone(client: Redis): Promise<boolean> {
  const hello = await client.call('HELLO').catch(() => undefined)
  return Array.isArray(hello) && String(hello[hello.findIndex(field => String(field) === 'mode') + 1]) !== 'cluster'
}

async function withinTime(done: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>(resolve => (timer = setTimeout(resolve, answerTimeoutMs, false)))
  try {
    return await Promise.race([done.then(() => true), late])
  } catch (error) {
    if (isSilence(error)) return false
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** A full server says so unasked and hangs up, which the client takes for a broken connection. */
function isFull(address: Address): Promise<boolean> {
  return new Promise(resolve => {
    const socket = dial(address)
    const end = (full: boolean): void => {
      socket.destroy()
      resolve(full)
    }
    socket.setTimeout(refusalTimeoutMs, () => end(false))
    socket.on('data', words => end(words.toString('latin1').startsWith('-ERR max number of clients')))
    socket.on('error', () => end(false)).on('close', () => end(false))
  })
}
