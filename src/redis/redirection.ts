import { replyCode } from './failures.ts'

/** What a cluster server replies instead of running a command. */
export interface Redirection {
  /** `moved`: the slot has another owner. `ask`: this key has, for now. `retry`: nobody can run it at the moment. */
  readonly kind: 'moved' | 'ask' | 'retry'
  readonly host: string
  readonly port: number
}

const firstDelayMs = 5
const maxDelayMs = 50

export function parseRedirection(error: unknown): Redirection | undefined {
  const code = replyCode(error)
  if (code === 'TRYAGAIN' || code === 'CLUSTERDOWN') return { kind: 'retry', host: '', port: 0 }
  if (code !== 'MOVED' && code !== 'ASK') return undefined
  const address = (error as Error).message.split(' ')[2] ?? ''
  const colon = address.lastIndexOf(':')
  const port = Number(address.slice(colon + 1))
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return { kind: 'retry', host: '', port: 0 }
  // A server that does not know its own name leaves the host out. The owners are then learnt anew.
  if (colon < 1) return { kind: 'retry', host: '', port: 0 }
  return { kind: code === 'MOVED' ? 'moved' : 'ask', host: address.slice(0, colon), port }
}

export function redirectionDelayMs(hop: number): number {
  return Math.min(maxDelayMs, firstDelayMs * 2 ** hop)
}
