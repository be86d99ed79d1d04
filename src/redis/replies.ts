import { StoreError } from '../core/errors.ts'
import { isRecord } from '../core/tags/namespace-record.ts'
import type { AcquireReply, CommitReply, PutReply } from '../core/ports.ts'

export function parseAcquireReply(reply: unknown): AcquireReply {
  const [kind, first, second, third] = words(reply)
  switch (kind) {
    case 'granted':
    case 'unqueued':
    case 'late':
    case 'full':
      return { kind }
    case 'value':
      if (Buffer.isBuffer(first)) return { kind, bytes: first }
      break
    case 'busy':
      if (typeof first === 'number' && Buffer.isBuffer(second) && Buffer.isBuffer(third)) {
        return { kind, remainingMs: first, holder: second, valueToken: third.length === 0 ? undefined : third }
      }
      break
    case 'cooling':
      if (Buffer.isBuffer(first) && typeof second === 'number') {
        return { kind, errorCode: first.toString('latin1'), remainingMs: second }
      }
  }
  throw unexpected('acquire')
}

export function parseCommitReply(reply: unknown): CommitReply {
  const [kind] = words(reply)
  if (kind === 'stored' || kind === 'lost' || kind === 'late' || kind === 'full') return kind
  throw unexpected('commit')
}

export function parsePutReply(reply: unknown): PutReply {
  const [kind] = words(reply)
  if (kind === 'stored' || kind === 'late' || kind === 'full') return kind
  throw unexpected('put')
}

export function parseFlag(command: string, reply: unknown): boolean {
  if (reply === 1) return true
  if (reply === 0) return false
  throw unexpected(command)
}

export function parseRecord(reply: unknown): Buffer {
  if (Buffer.isBuffer(reply) && isRecord(reply)) return reply
  throw unexpected('stamp')
}

function words(reply: unknown): [kind: string, ...rest: unknown[]] {
  if (!Array.isArray(reply)) return ['']
  const [kind, ...rest] = reply as unknown[]
  return [Buffer.isBuffer(kind) || typeof kind === 'string' ? String(kind) : '', ...rest]
}

function unexpected(command: string): StoreError {
  return new StoreError('STORE_UNSUPPORTED', 'unknown', `Redis gave ${command} a reply it does not have`)
}
