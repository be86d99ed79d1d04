import type { AcquireReply, CommitRequest, Token } from '../../src/index.ts'
import { offset, readTime } from '../../src/codec/header.ts'
import { stampBytes, standingOf } from '../../src/core/tags/namespace-record.ts'
import type { Grant } from './history.ts'
import type { Request } from './message.ts'
import type { Command } from './plan.ts'
import { tableId } from './server.ts'
import { show } from './timeline.ts'
import type { World } from './world.ts'

interface Sent {
  readonly process: string
  readonly command: Command
  readonly request: Request
  readonly at: number
}

interface Stored {
  readonly seq: number
  /** In server ms. */
  readonly freshUntil: number
  /** What it is stamped with. */
  readonly stamp: Buffer
}

/** Commands that only the holder's token may carry out. */
const fenced: ReadonlySet<Command> = new Set<Command>(['commit', 'renew', 'release'])

/** A deadline is in whole ms of the server's clock. */
const deadlineGrainMs = 1

/** Looks over the server's shoulder at each command it executes: what tokens may do, and when. */
export class StoreWatch {
  readonly #world: World
  readonly #grants = new Map<string, Grant>()
  readonly #stored = new Set<string>()
  /** The last value that a load stored, by table id. */
  readonly #lastStored = new Map<string, Stored>()
  readonly #lost = new Set<string>()
  /** Until when (server ms) nobody need wait for a key, by table id. */
  readonly #uncacheable = new Map<string, { readonly seq: number; readonly until: number }>()
  /** When a key was last changed or revoked, by table id. */
  readonly #revokedSeq = new Map<string, number>()

  constructor(world: World) {
    this.#world = world
  }

  execute(sent: Sent, execute: () => unknown): unknown {
    const world = this.#world
    const { server, coverage } = world
    const { command, request } = sent
    const id = tableId(request)
    const seq = world.nextSeq()
    const holder = fenced.has(command) ? server.tables.holderAt(id, server.now) : undefined
    const before = server.tables.writes
    const reply = execute()
    const wrote = server.tables.writes > before
    const label = labelOf(command, reply, command !== 'commit' || wrote)
    coverage.count(`script ${command} ${label}`)
    world.remember(label.length * 16 + command.length)
    world.note('store', () => `${command} of ${sent.process} for ${request.version}:${request.key} → ${show(reply)}`)
    this.#checkDeadline(sent, label)
    switch (command) {
      case 'acquire':
        if (label === 'granted') this.#granted(tokenOf(request), seq)
        if (label === 'busy') this.#checkQueue(id, sent)
        break
      case 'commit':
        if (wrote) this.#committed(request as unknown as CommitRequest, holder, seq)
        else if (label === 'lost') this.#lost.add(hex(request))
        else if (label === 'full') this.#checkFreed(id, request)
        break
      case 'renew':
        if (reply !== true) this.#lost.add(hex(request))
        else if (holder?.equals(tokenOf(request)) !== true) this.#usurped(sent)
        break
      case 'release':
        if (reply === true && holder?.equals(tokenOf(request)) !== true) this.#usurped(sent)
        if (reply === true) this.#released(id, tokenOf(request), seq)
        break
      case 'put':
      case 'remove':
      case 'expire':
        for (const version of [request.version - 1, request.version, request.version + 1]) {
          this.#revokedSeq.set(tableId({ key: request.key, version }), seq)
        }
        break
      default:
    }
    return reply
  }

  grantOf(token: Token): Grant | undefined {
    return this.#grants.get(token.toString('latin1'))
  }

  lastStored(id: string): Stored | undefined {
    return this.#lastStored.get(id)
  }

  wasRevokedSince(id: string, seq: number): boolean {
    return (this.#revokedSeq.get(id) ?? 0) > seq
  }

  /** Whether any tag, or the whole namespace, has been invalidated since. */
  wasBumpedSince(stamp: Buffer): boolean {
    const { tables } = this.#world.server
    return standingOf(stamp, 0, tables.namespaces.at('').record ?? null, true) !== 'valid'
  }

  /** The server has come back with older tables: tokens may do again what they did since. */
  forget(): void {
    this.#stored.clear()
    this.#lastStored.clear()
    this.#lost.clear()
  }

  #checkDeadline({ command, request, at, process }: Sent, label: string): void {
    if (command !== 'acquire' && command !== 'commit' && command !== 'put') return
    const { now, server } = this.#world
    const lateMs = now - at - request.timeoutMs
    if (label === 'late' || lateMs <= deadlineGrainMs || server.clockSteppedBack) return
    const text = `${command} of ${process} took effect (${label}) ${lateMs.toFixed(1)} ms after its caller gave up`
    this.#world.violate('token rule: nothing takes effect after its caller gave up', text)
  }

  #granted(token: Token, seq: number): void {
    const key = token.toString('latin1')
    const { now, server } = this.#world
    this.#grants.set(key, { token, seq, at: now, serverMs: server.now })
  }

  #committed(request: CommitRequest, holder: Token | undefined, seq: number): void {
    const world = this.#world
    const key = hex(request)
    const whose = `the token of ${show(request.token)} for ${request.key}`
    if (holder?.equals(request.token) !== true) world.violate('I2', `${whose} stored a value without holding the lease`)
    if (this.#stored.has(key)) world.violate('I2', `${whose} stored a second value`)
    if (this.#lost.has(key)) world.violate('I2', `${whose} stored a value after it was told that the lease is lost`)
    this.#stored.add(key)
    // The server counts how long it keeps an entry from now, and so may drop it a moment before it is stale.
    const freshUntil = Math.min(readTime(request.bytes, offset.freshUntil), world.server.now + request.keepMs)
    const stamp = request.bytes.subarray(offset.tagStamp, offset.tagStamp + stampBytes)
    this.#lastStored.set(tableId(request), { seq, freshUntil, stamp })
  }

  #checkFreed(id: string, request: Request): void {
    const { server } = this.#world
    if (server.tables.holderAt(id, server.now)?.equals(tokenOf(request)) !== true) return
    this.#world.violate('a full store frees the lease', `the load of ${request.key} cannot be stored and its lease is still held`)
  }

  #usurped({ command, process, request }: Sent): void {
    this.#world.violate('I2', `${command} of ${process} for ${request.key} held for a token that does not hold the lease`)
  }

  /** Loads that leave nothing to share must not be waited for in turn. */
  #released(id: string, token: Token, seq: number): void {
    const { history, server } = this.#world
    const load = history.loads.findLast(each => each.grant?.token.equals(token) === true)
    if (load?.uncacheable === true) this.#uncacheable.set(id, { seq, until: server.now + load.leaseMs })
    else this.#uncacheable.delete(id)
  }

  #checkQueue(id: string, { process, request }: Sent): void {
    const { plan, server } = this.#world
    const uncacheable = this.#uncacheable.get(id)
    if (!plan.calm || uncacheable === undefined || server.now >= uncacheable.until) return
    const stored = this.#lastStored.get(id)?.seq ?? 0
    if (stored > uncacheable.seq || this.wasRevokedSince(id, uncacheable.seq)) return
    this.#world.violate('no convoy', `${process} has to wait for the lease of ${request.key}, whose loads leave nothing to share`)
  }
}

/** A reply in a word. `effective`: false for a commit that found its value stored already. */
export function labelOf(command: Command, reply: unknown, effective = true): string {
  switch (command) {
    case 'acquire':
      return (reply as AcquireReply).kind
    case 'commit':
      return reply === 'stored' && !effective ? 'stored before' : (reply as string)
    case 'put':
      return reply as string
    case 'renew':
    case 'release':
      return reply === true ? 'held' : 'not held'
    case 'read':
    case 'read-header':
      return (reply as { readonly bytes: Buffer | null }).bytes === null ? 'nothing' : 'value'
    case 'remove':
    case 'bump-tags':
    case 'clear':
      return 'done'
    case 'record':
      return reply === null ? 'nothing' : 'record'
    case 'stamp':
      return 'record'
    case 'pulse':
      return reply === true ? 'sent' : 'young'
    case 'newest-tag':
      return reply === Infinity ? 'lost' : 'known'
    case 'expire':
      return reply === true ? 'marked' : 'nothing'
  }
}

function tokenOf(request: Request): Token {
  return (request as unknown as { readonly token: Token }).token
}

function hex(request: Request | CommitRequest): string {
  return tokenOf(request).toString('latin1')
}
