import { setTimeout as sleep } from 'node:timers/promises'
import { sharedNow } from '../../demo/shared-clock.ts'
import { answerQuestions } from '../../lab/child-side.ts'
import { peerOf } from './all-peers.ts'
import type { FromMember, ToMember, TrafficAccount } from './messages.ts'
import type { PeerCache } from './peer.ts'

/** One process of a fleet that uses one library. */
interface Row {
  readonly version: number
}

let cache: PeerCache | undefined
let version = 1
let loads = 0
let loadMs = 0
let begun: Promise<unknown>[] = []

// A client that a library opens without a listener prints each failed attempt to connect.
console.error = () => {}
// A library may leave a rejection to nobody; a service would have to live on.
process.on('unhandledRejection', () => {})
process.on('uncaughtException', () => {})

async function load(id: string): Promise<Row & { id: string }> {
  loads++
  const loaded = version
  await sleep(loadMs)
  return { id, version: loaded }
}

async function answer(question: ToMember): Promise<FromMember> {
  if (question.kind === 'open') {
    loads = 0
    loadMs = question.loadMs
    const { redisUrl, prefix, ttlMs } = question
    cache = await peerOf(question.peer).open({ redisUrl, prefix, ttlMs, load })
    await cache.read('warm-up')
    loads = 0
    return { kind: 'done' }
  }
  if (cache === undefined) throw new Error(`${question.kind} before open`)
  switch (question.kind) {
    case 'source':
      version = question.version
      return { kind: 'done' }
    case 'stampede':
      return await stampede(cache, question.id, question.callers, question.startAt)
    case 'begin': {
      const before = loads
      const opened = cache
      begun = question.ids.map(id => opened.read(id).catch(() => undefined))
      const deadline = performance.now() + 5000
      while (loads < before + question.ids.length && performance.now() < deadline) await sleep(1)
      return { kind: 'done' }
    }
    case 'remove': {
      const opened = cache
      await Promise.all(question.ids.map(id => opened.remove(id)))
      return { kind: 'done' }
    }
    case 'settle':
      await Promise.all(begun)
      return { kind: 'done' }
    case 'read': {
      const opened = cache
      const answers = question.ids.map(id =>
        opened.read(id).then(
          row => (row as Row).version,
          () => null,
        ),
      )
      return { kind: 'read', versions: await Promise.all(answers) }
    }
    case 'traffic':
      return { kind: 'traffic', account: await traffic(cache, question) }
    case 'close':
      await Promise.race([cache.close(), sleep(2000)])
      return { kind: 'done' }
  }
}

async function stampede(opened: PeerCache, id: string, callers: number, startAt: number): Promise<FromMember> {
  loads = 0
  await sleep(Math.max(0, startAt - sharedNow()))
  const begins = performance.now()
  const tookMs = await Promise.all(Array.from({ length: callers }, () => opened.read(id).then(() => performance.now() - begins)))
  return { kind: 'stampeded', loads, tookMs }
}

/** Calls at set moments, none of which waits for another. */
async function traffic(opened: PeerCache, order: Extract<ToMember, { kind: 'traffic' }>): Promise<TrafficAccount> {
  loads = 0
  const calls = Math.floor((order.perSecond * order.forMs) / 1000)
  const tookMs: number[] = []
  let failed = 0
  let firstFailure: string | undefined
  const begins = performance.now()
  const pending: Promise<void>[] = []
  for (let call = 0; call < calls; call++) {
    const dueAt = begins + (call * 1000) / order.perSecond
    const waitMs = dueAt - performance.now()
    if (waitMs > 0) await sleep(waitMs)
    const read = opened.read(`key-${call % order.keys}`).then(
      () => {},
      (error: unknown) => {
        failed++
        firstFailure ??= String(error)
      },
    )
    pending.push(read.then(() => void tookMs.push(performance.now() - dueAt)))
  }
  await Promise.race([Promise.all(pending), sleep(order.patienceMs)])
  const sorted = tookMs.toSorted((a, b) => a - b)
  return {
    calls,
    failed,
    unanswered: calls - tookMs.length,
    p99Ms: sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN,
    longestMs: sorted.at(-1) ?? Number.NaN,
    loads,
    firstFailure,
  }
}

answerQuestions(answer)
