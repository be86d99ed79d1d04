import type { Change } from '../../src/core/ports.ts'
import type { ServerChange } from '../../src/memory/memory-server.ts'
import type { World } from './world.ts'

/** A change that the server has made, told of or not. */
export interface MadeChange {
  readonly change: ServerChange
  /** No value that was born before may be answered by who knows of the change. */
  readonly bornBeforeSeq: number
  readonly seq: number
  /** A restart from an older snapshot has undone it. */
  undone: boolean
}

/** How young a pulse must be for nobody to need another. */
const pulseYoungMs = 900

/** Numbers the changes and tells them to those who listen, as the scripts of Redis do: while nobody listens, nothing is counted. */
export class ChangeChannel {
  /** In the order in which they were made. */
  readonly made: MadeChange[] = []
  readonly #world: World
  #number = 0
  #pulseYoungUntil = -Infinity

  constructor(world: World) {
    this.#world = world
  }

  get number(): number {
    return this.#number
  }

  announce(change: ServerChange): void {
    const seq = this.#world.nextSeq()
    this.made.push({ change, bornBeforeSeq: this.#loadOf(change)?.beganSeq ?? seq, seq, undone: false })
    if (!this.#isHeard) return
    const sequence = ++this.#number
    if (change.kind !== 'key') return this.#tell({ ...change, sequence })
    const { key, version } = change.key
    const token = change.token === undefined ? undefined : Buffer.from(change.token)
    this.#tell({ kind: 'key', sequence, wakeId: `${version}:${key}`, token })
  }

  /** False if the last one is young. */
  pulse(): boolean {
    const { server } = this.#world
    if (server.now < this.#pulseYoungUntil) return false
    this.#pulseYoungUntil = server.now + pulseYoungMs
    this.#tell({ kind: 'pulse', sequence: this.#number, sentAt: server.now })
    return true
  }

  /** The server has lost its count, or has one from before. */
  restart(number: number): void {
    this.#number = number
    this.#pulseYoungUntil = -Infinity
  }

  undoSince(snapshotSeq: number): void {
    for (const made of this.made) if (made.seq > snapshotSeq) made.undone = true
  }

  get #isHeard(): boolean {
    return this.#world.processes.some(({ state, link }) => state !== 'dead' && link.bus.hearsChanges)
  }

  #tell(change: Change): void {
    for (const { state, link } of this.#world.processes) if (state !== 'dead') link.bus.tell(change, this.made.length)
  }

  /** The load whose commit this is. */
  #loadOf(change: ServerChange): { readonly beganSeq: number } | undefined {
    if (change.kind !== 'key' || change.token === undefined) return undefined
    const { token } = change
    return this.#world.history.loads.findLast(({ grant }) => grant?.token.equals(token) === true)
  }
}
