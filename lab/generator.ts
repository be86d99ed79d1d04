import { setTimeout as sleep } from 'node:timers/promises'
import { sharedNow } from '../demo/shared-clock.ts'
import { answerQuestions, say } from './child-side.ts'
import { HttpClient } from './http-client.ts'
import type { Counts, FromGenerator, ToGenerator, TrafficRecord } from './messages.ts'
import { type Arrivals, arrivalsOf, shareOf } from './traffic.ts'

type Play = Extract<ToGenerator, { kind: 'play' }>

const tickMs = 100

/** Sends each request when it is due, whether or not earlier ones were answered. */
class Player {
  readonly #arrivals: Arrivals
  readonly #startAt: number
  readonly #client: HttpClient
  readonly #askedMs: Float64Array
  readonly #doneMs: Float64Array
  readonly #version: Uint32Array
  readonly #deferred: Uint8Array
  #ports: readonly number[]
  #turn = 0
  #sent = 0
  #answered = 0
  #failed = 0
  #firstFailure: string | undefined

  constructor({ traffic, seed, index, of, startAt, ports, timeoutMs, connections }: Play) {
    this.#arrivals = shareOf(arrivalsOf(traffic, seed), index, of)
    this.#startAt = startAt
    this.#ports = ports
    this.#client = new HttpClient({ timeoutMs, connections })
    const { length } = this.#arrivals.atMs
    this.#askedMs = new Float64Array(length)
    this.#doneMs = new Float64Array(length)
    this.#version = new Uint32Array(length)
    this.#deferred = new Uint8Array(length)
  }

  get counts(): Counts {
    return { sent: this.#sent, answered: this.#answered, failed: this.#failed }
  }

  target(ports: readonly number[]): void {
    this.#ports = ports
  }

  async play(): Promise<TrafficRecord> {
    const cpuBefore = process.cpuUsage()
    const { atMs, product, write } = this.#arrivals
    for (let next = 0; next < atMs.length;) {
      const nowMs = sharedNow() - this.#startAt
      for (; next < atMs.length && (atMs[next] ?? 0) <= nowMs; next++) this.#send(next)
      const waitMs = (atMs[next] ?? 0) - (sharedNow() - this.#startAt)
      if (waitMs > 0) await sleep(waitMs)
      else await new Promise<void>(resolve => setImmediate(resolve))
    }
    // The client gives up what is not answered, so this ends.
    while (this.#answered + this.#failed < atMs.length) await sleep(5)
    this.#client.close()
    const { user, system } = process.cpuUsage(cpuBefore)
    return {
      dueMs: atMs,
      askedMs: this.#askedMs,
      doneMs: this.#doneMs,
      product,
      write,
      version: this.#version,
      deferred: this.#deferred,
      cpuMs: (user + system) / 1000,
      firstFailure: this.#firstFailure,
    }
  }

  #send(arrival: number): void {
    const port = this.#ports[this.#turn++ % this.#ports.length] ?? 0
    const method = this.#arrivals.write[arrival] === 1 ? 'POST' : 'GET'
    this.#sent++
    this.#askedMs[arrival] = sharedNow() - this.#startAt
    this.#client.send(port, method, `/${this.#arrivals.product[arrival]}`, (status, body) => {
      this.#doneMs[arrival] = sharedNow() - this.#startAt
      if (status === 200 || status === 202) {
        if (status === 202) this.#deferred[arrival] = 1
        this.#answered++
        this.#version[arrival] = versionIn(body)
      } else {
        this.#failed++
        this.#firstFailure ??= body
      }
    })
  }
}

function versionIn(body: string): number {
  return (JSON.parse(body) as { version: number }).version
}

let player: Player | undefined

async function answer(message: ToGenerator): Promise<FromGenerator | undefined> {
  if (message.kind === 'target') {
    player?.target(message.ports)
    return undefined
  }
  const current = new Player(message)
  player = current
  const ticking = setInterval(() => say({ kind: 'tick', counts: current.counts } satisfies FromGenerator), tickMs)
  const record = await current.play().finally(() => clearInterval(ticking))
  return { kind: 'played', record }
}

answerQuestions(answer)
