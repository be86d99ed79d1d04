import { StoreError } from '../core/errors.ts'
import type { StoreErrorRecord } from '../core/events.ts'
import type { Clock, EntryKey, Store, StoreContext, StoreListeners, StoreProvider } from '../core/ports.ts'

/** `read-header`: a read of a large value that is remembered. */
export type ChaosCommand = StoreErrorRecord['command'] | 'read-header'

/** One command on its way to the store, or one wake-up on its way back. */
export interface ChaosCall {
  readonly command: ChaosCommand | 'wake'
  /** The user key; for a wake-up its wake id, for what concerns the whole namespace `''`. */
  readonly key: string
  /** Which opened store it belongs to: 0 for the first cache, 1 for the second. */
  readonly client: number
  /** The how manyth call of this command it is, all clients together, from 1. */
  readonly nth: number
  /** What the engine asked for, as the method got it; undefined for wake-ups. */
  readonly request: unknown
  /** Monotonic ms at which it was sent. */
  readonly sentAt: number
}

/** What befalls a call instead of passing through at once. Made by {@link refused}, {@link slow} and their like. */
export type Fault =
  | { readonly kind: 'refused'; readonly error: Error }
  | { readonly kind: 'slow'; readonly requestMs: number; readonly replyMs: number }
  | { readonly kind: 'answered'; readonly reply: unknown }
  | { readonly kind: 'twice' }

/** Decides about each call in turn. Undefined: it passes. */
export type ChaosScript = (call: ChaosCall) => Fault | undefined

export interface ChaosStore extends StoreProvider {
  /** May be replaced at any time; it decides about the calls that come after. */
  script: ChaosScript
  /** Every call so far, those the script spoiled included. */
  readonly calls: readonly ChaosCall[]
  /** How often `command` was sent, by `client` or by all. */
  count(command: ChaosCommand | 'wake', client?: number): number
  /** Takes the bus down or brings it back. While it is down wake-ups are lost. */
  setBus(live: boolean): void
  /** Tells every cache that the store became usable or stopped being so. */
  setReady(ready: boolean): void
  /** Tells every cache that another server answers from now on. */
  changeServer(): void
}

/** Fails at once, and the caller knows that nothing was executed. */
export function refused(error: Error = new StoreError('STORE_UNAVAILABLE', 'not-executed', 'the connection is down')): Fault {
  return { kind: 'refused', error }
}

/**
 * Takes `requestMs` to reach the store and `replyMs` to come back. When both together exceed the caller's timeout it gives up with an unknown
 * outcome, and the command is executed all the same when it arrives. Infinity: never arrives. A wake-up only has the first.
 */
export function slow(requestMs: number, replyMs = 0): Fault {
  return { kind: 'slow', requestMs, replyMs }
}

/** Never executed; the caller times out and cannot know. */
export function lostRequest(): Fault {
  return slow(Infinity)
}

/** Executed at once; the caller times out and cannot know. */
export function lostReply(): Fault {
  return slow(0, Infinity)
}

/** Answered in the store's place: nothing is executed. */
export function answered(reply: unknown): Fault {
  return { kind: 'answered', reply }
}

/** Executed twice over, as by a client that sends again what it was not sure of; the caller hears the second answer. Delivered twice, for a wake-up. */
export function twice(): Fault {
  return { kind: 'twice' }
}

/** A script that gives each command the faults listed for it, in order; the calls after those pass, as do those given `undefined`. */
export function inTurn(faults: { readonly [Command in ChaosCall['command']]?: readonly (Fault | undefined)[] }): ChaosScript {
  const used = new Map<string, number>()
  return ({ command }) => {
    const index = used.get(command) ?? 0
    used.set(command, index + 1)
    return faults[command]?.[index]
  }
}

/**
 * Wraps a store so that a script decides what becomes of each command and wake-up, under the clock of the cache that opens it: the same script
 * gives the same run.
 *
 * ```ts
 * const store = chaosStore(memoryStore(), inTurn({ commit: [lostReply()] }))
 * const cache = createCache({ namespace: 'test', store, clock: virtualClock() })
 * ```
 */
export function chaosStore(provider: StoreProvider, script: ChaosScript = () => undefined): ChaosStore {
  const calls: ChaosCall[] = []
  const sent = new Map<string, number>()
  const opened: StoreListeners[] = []
  let busLive = true

  const chaos: ChaosStore = {
    kind: provider.kind,
    script,
    calls,
    count: (command, client) =>
      calls.filter(call => call.command === command && (client === undefined || call.client === client)).length,
    setBus(live) {
      busLive = live
      for (const listeners of opened) listeners.onBus(live)
    },
    setReady(ready) {
      for (const listeners of opened) listeners.onReady(ready)
    },
    changeServer() {
      for (const listeners of opened) listeners.onServerChange?.()
    },
    open(context) {
      const client = opened.push(context.listeners) - 1
      const record = (command: ChaosCall['command'], key: string, request: unknown): Fault | undefined => {
        const nth = (sent.get(command) ?? 0) + 1
        sent.set(command, nth)
        const call = { command, key, client, nth, request, sentAt: context.clock.now() }
        calls.push(call)
        return chaos.script(call)
      }
      const onWake = (wakeId: string): void => {
        if (busLive) deliver(context, wakeId, record('wake', wakeId, undefined))
      }
      const onBus = (live: boolean): void => context.listeners.onBus(live && busLive)
      return wrap(provider.open({ ...context, listeners: { ...context.listeners, onWake, onBus } }), context.clock, record)
    },
  }
  return chaos
}

function deliver({ clock, listeners }: StoreContext, wakeId: string, fault: Fault | undefined): void {
  if (fault === undefined) return listeners.onWake(wakeId)
  switch (fault.kind) {
    case 'slow':
      if (fault.requestMs !== Infinity) clock.setTimeout(() => listeners.onWake(wakeId), fault.requestMs)
      return
    case 'twice':
      listeners.onWake(wakeId)
      return listeners.onWake(wakeId)
    case 'refused':
    case 'answered':
  }
}

type Recorder = (command: ChaosCommand, key: string, request: unknown) => Fault | undefined

function wrap(store: Store, clock: Clock, record: Recorder): Store {
  function pass<Request extends { readonly key?: string; readonly timeoutMs: number }, Reply>(
    command: ChaosCommand,
    execute: (request: Request) => Promise<Reply>,
  ): (request: Request) => Promise<Reply> {
    return request => spoil(clock, record(command, request.key ?? '', request), request.timeoutMs, () => execute(request))
  }
  const readHeader = store.readHeader?.bind(store)
  return {
    ready: (key, timeoutMs) => store.ready(key, timeoutMs),
    now: key => store.now(key),
    notAfter: (key, timeoutMs) => store.notAfter(key, timeoutMs),
    wakeId: key => store.wakeId(key),
    read: (key, timeoutMs) => spoil(clock, record('read', key.key, key), timeoutMs, () => store.read(key, timeoutMs)),
    ...(readHeader === undefined
      ? {}
      : {
          readHeader: (key: EntryKey, timeoutMs: number) =>
            spoil(clock, record('read-header', key.key, key), timeoutMs, () => readHeader(key, timeoutMs)),
        }),
    acquire: pass('acquire', request => store.acquire(request)),
    renew: pass('renew', request => store.renew(request)),
    commit: pass('commit', request => store.commit(request)),
    release: pass('release', request => store.release(request)),
    put: pass('put', request => store.put(request)),
    remove: pass('remove', request => store.remove(request)),
    expire: pass('expire', request => store.expire(request)),
    get namespaceRecord() {
      return store.namespaceRecord
    },
    stamp: pass('stamp', request => store.stamp(request)),
    newestTag: pass('newest-tag', request => store.newestTag(request)),
    bumpTags: pass('bump-tags', request => store.bumpTags(request)),
    clear: timeoutMs => spoil(clock, record('clear', '', { timeoutMs }), timeoutMs, () => store.clear(timeoutMs)),
    ...(store.confirm === undefined ? {} : { confirm: store.confirm.bind(store) }),
    ...(store.pulse === undefined ? {} : { pulse: (timeoutMs: number) => store.pulse?.(timeoutMs) ?? Promise.resolve() }),
    close: () => store.close(),
  }
}

async function spoil<Reply>(
  clock: Clock,
  fault: Fault | undefined,
  timeoutMs: number,
  execute: () => Promise<Reply>,
): Promise<Reply> {
  switch (fault?.kind) {
    case undefined:
      return execute()
    case 'refused':
      throw fault.error
    case 'answered':
      return fault.reply as Reply
    case 'twice':
      await execute()
      return execute()
    case 'slow':
      return travel(clock, fault.requestMs, fault.replyMs, timeoutMs, execute)
  }
}

/** The way there, the execution and the way back, of which the caller sees only what comes before its timeout. */
function travel<Reply>(
  clock: Clock,
  requestMs: number,
  replyMs: number,
  timeoutMs: number,
  execute: () => Promise<Reply>,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const giveUp = clock.setTimeout(
      () => reject(new StoreError('STORE_TIMEOUT', 'unknown', `no reply within ${timeoutMs} ms`)),
      timeoutMs,
    )
    const settle = (answer: () => void): void => {
      after(clock, replyMs, () => {
        clock.clearTimeout(giveUp)
        answer()
      })
    }
    after(clock, requestMs, () => {
      execute().then(
        reply => settle(() => resolve(reply)),
        error => settle(() => reject(error)),
      )
    })
  })
}

function after(clock: Clock, delayMs: number, act: () => void): void {
  if (delayMs === 0) act()
  else if (delayMs !== Infinity) clock.setTimeout(act, delayMs)
}
