import { StoreError } from '../core/errors.ts'
import type { StoreErrorRecord } from '../core/events.ts'
import { hasMethods } from '../core/options/check-option.ts'
import { invalidOption } from '../core/options/invalid-option.ts'
import type { Change, Clock, EntryKey, Store, StoreContext, StoreProvider } from '../core/ports.ts'
import { checkFunction } from './check-arguments.ts'
import { checkFault, type Fault } from './faults.ts'

export { answered, lostReply, lostRequest, refused, slow, twice } from './faults.ts'
export type { Fault } from './faults.ts'
export { inTurn } from './in-turn.ts'

/** `read-header`: a read of a large value that is remembered. */
export type ChaosCommand = StoreErrorRecord['command'] | 'read-header'

/** What the store says unasked: to who waits for a key, and to who keeps trusted copies. */
export type ChaosMessage = 'wake' | 'change'

/** One command on its way to the store, or one message on its way back. */
export interface ChaosCall {
  readonly command: ChaosCommand | ChaosMessage
  /** The user key; for a message the wake id of its key, for what concerns the whole namespace `''`. */
  readonly key: string
  /** Which opened store it belongs to: 0 for the first cache, 1 for the second. */
  readonly client: number
  /** The how manyth call of this command it is, all clients together, from 1. */
  readonly nth: number
  /** What the engine asked for, as the method got it; for a change what is told, with its `kind` (`pulse` is no change, but proof that changes are heard); undefined for wake-ups. */
  readonly request: unknown
  /** Monotonic ms at which it was sent. */
  readonly sentAt: number
}

/** Decides about each call in turn. Undefined: it passes. */
export type ChaosScript = (call: ChaosCall) => Fault | undefined

export interface ChaosStore extends StoreProvider {
  /** May be replaced at any time; it decides about the calls that come after. */
  script: ChaosScript
  /** Every call so far, those the script spoiled included. */
  readonly calls: readonly ChaosCall[]
  /** How often `command` was sent, by `client` or by all. */
  count(command: ChaosCall['command'], client?: number): number
  /** Takes the bus down or brings it back. While it is down wake-ups and changes are lost. */
  setBus(live: boolean): void
  /** Tells every cache that the store became usable or stopped being so. */
  setReady(ready: boolean): void
  /** Tells every cache that another server answers from now on. */
  changeServer(): void
}

/**
 * Wraps a store so that a script decides what becomes of each command and message, under the clock of the cache that opens it: the same script
 * gives the same run.
 *
 * ```ts
 * const store = chaosStore(memoryStore(), inTurn({ commit: [lostReply()] }))
 * const cache = createCache({ namespace: 'test', store, clock: virtualClock() })
 * ```
 */
export function chaosStore(provider: StoreProvider, script: ChaosScript = () => undefined): ChaosStore {
  if (!hasMethods(provider, 'open')) throw invalidOption('provider', provider, 'a store, such as memoryStore()')
  checkFunction('script', script)
  const calls: ChaosCall[] = []
  const sent = new Map<string, number>()
  const opened: StoreContext[] = []
  let busLive = true

  const chaos: ChaosStore = {
    kind: provider.kind,
    script,
    calls,
    count: (command, client) =>
      calls.filter(call => call.command === command && (client === undefined || call.client === client)).length,
    setBus(live) {
      busLive = live
      for (const { listeners, changes } of opened) {
        listeners.onBus(live)
        changes?.onLive(live)
      }
    },
    setReady(ready) {
      for (const { listeners } of opened) listeners.onReady(ready)
    },
    changeServer() {
      for (const { listeners } of opened) listeners.onServerChange?.()
    },
    open(context) {
      const client = opened.push(context) - 1
      const { clock, listeners, changes } = context
      const record = (command: ChaosCall['command'], key: string, request: unknown): Fault | undefined => {
        const nth = (sent.get(command) ?? 0) + 1
        sent.set(command, nth)
        const call = { command, key, client, nth, request, sentAt: clock.now() }
        calls.push(call)
        return checkFault('script', chaos.script(call))
      }
      const onWake = (wakeId: string): void => {
        if (busLive) deliver(clock, record('wake', wakeId, undefined), () => listeners.onWake(wakeId))
      }
      const onBus = (live: boolean): void => listeners.onBus(live && busLive)
      const onChange = (change: Change): void => {
        const key = change.kind === 'key' ? change.wakeId : ''
        if (busLive) deliver(clock, record('change', key, change), () => changes?.onChange(change))
      }
      const onLive = (live: boolean): void => changes?.onLive(live && busLive)
      const spoiled: StoreContext = {
        ...context,
        listeners: { ...listeners, onWake, onBus },
        changes: changes === undefined ? undefined : { ...changes, onChange, onLive },
      }
      return wrap(provider.open(spoiled), clock, record)
    },
  }
  return chaos
}

function deliver(clock: Clock, fault: Fault | undefined, hear: () => void): void {
  switch (fault?.kind) {
    case undefined:
      return hear()
    case 'slow':
      return after(clock, Math.max(1, fault.requestMs), hear)
    case 'twice':
      hear()
      return hear()
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
