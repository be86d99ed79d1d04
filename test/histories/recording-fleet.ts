import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child } from '../fleet/child.ts'
import { addCounts } from '../fleet/event-tally.ts'
import { rowLength, type History } from './history.ts'
import type { Commands, LoadNotice, OpenRequest, Tallies } from './messages.ts'
import type { TrafficPlan } from './traffic.ts'

export type RecordingProcess = Child<Commands, LoadNotice>

export interface RecordingFleetOptions {
  readonly processes: number
  readonly redisUrls: readonly string[]
  /** For each process, what is different about it. */
  readonly differing?: (place: number) => Partial<OpenRequest>
  readonly options?: OpenRequest['options']
  readonly paddingBytes?: number
  /** Hear of each load at once: {@link RecordingFleet.loads}. */
  readonly tellLoads?: boolean
  /** Options of node for each process. */
  readonly flags?: readonly string[]
}

const script = fileURLToPath(new URL('worker.ts', import.meta.url))
/** A process that was killed may be about to write there. */
const removal = { recursive: true, force: true, maxRetries: 5, retryDelay: 20 } as const
const rowBytes = rowLength * Float64Array.BYTES_PER_ELEMENT

/** Processes that record what they do, over one namespace. */
export class RecordingFleet {
  readonly namespace: string = `history-${randomBytes(6).toString('hex')}`
  /** What loads were told of, in the order in which they were heard of. */
  readonly loads: LoadNotice[] = []
  readonly #options: RecordingFleetOptions
  readonly #folder: string
  readonly #members: RecordingProcess[] = []
  #lastProcess = 0

  private constructor(options: RecordingFleetOptions, folder: string) {
    this.#options = options
    this.#folder = folder
    process.once('exit', this.#leave)
  }

  static async start(options: RecordingFleetOptions): Promise<RecordingFleet> {
    const fleet = new RecordingFleet(options, await mkdtemp(join(tmpdir(), 'leasehold-history-')))
    try {
      await Promise.all(Array.from({ length: options.processes }, (_, place) => fleet.place(place)))
      return fleet
    } catch (error) {
      await fleet.stop()
      throw error
    }
  }

  /** For a process that ends before it stops this: its children end by themselves. */
  readonly #leave = (): void => {
    for (const { pid } of this.alive) process.kill(pid, 'SIGKILL')
    rmSync(this.#folder, removal)
  }

  /** In their places. Some may be dead. */
  get members(): readonly RecordingProcess[] {
    return this.#members
  }

  get alive(): readonly RecordingProcess[] {
    return this.#members.filter(member => member.alive)
  }

  /** Starts a process in a place, whose former one, if any, must be dead. */
  async place(place: number): Promise<RecordingProcess> {
    const { redisUrls, options = {}, paddingBytes, tellLoads, differing, flags = [] } = this.#options
    const number = ++this.#lastProcess
    const member: RecordingProcess = await Child.start<Commands, LoadNotice>({
      name: `process ${number}`,
      script,
      flags,
      onNotice: notice => void this.loads.push(notice),
    })
    this.#members[place] = member
    await member.ask('open', {
      process: number,
      namespace: this.namespace,
      redisUrls,
      folder: this.#folder,
      options,
      ...(paddingBytes === undefined ? {} : { paddingBytes }),
      ...(tellLoads === undefined ? {} : { tellLoads }),
      ...differing?.(place),
    })
    return member
  }

  /** Starts callers in every process. */
  async startTraffic(plan: TrafficPlan): Promise<void> {
    await Promise.all(this.alive.map((member, index) => member.ask('start', { ...plan, seed: plan.seed * 1000 + index })))
  }

  /** How many calls they have begun. */
  async made(): Promise<number> {
    const progress = await Promise.all(this.alive.map(member => member.ask('progress', undefined)))
    return progress.reduce((sum, { made }) => sum + made, 0)
  }

  /** Resolves when every call has settled; fails when one does not. */
  async stopTraffic(): Promise<void> {
    await Promise.all(this.alive.map(member => member.ask('stop', undefined)))
  }

  /** Adds what was recorded since the last time to `history`, dead processes' part included. Returns how many operations that was. */
  async collect(history: History): Promise<number> {
    await Promise.all(this.alive.map(member => member.ask('endPart', undefined)))
    let count = 0
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name)
      const bytes = await readFile(path)
      // The next part of a living process is empty as yet, and goes on.
      if (bytes.length === 0) continue
      const whole = Math.floor(bytes.length / rowBytes) * rowBytes
      count += history.addRows(new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + whole)))
      await rm(path)
    }
    return count
  }

  /** The living processes' tallies since the last time, added up. */
  async tallies(): Promise<Tallies> {
    const events: Record<string, number> = {}
    const errors: Record<string, number> = {}
    const unhandled: string[] = []
    for (const tallies of await Promise.all(this.alive.map(member => member.ask('tallies', undefined)))) {
      addCounts(events, tallies.events)
      addCounts(errors, tallies.errors)
      unhandled.push(...tallies.unhandled)
    }
    return { events, errors, unhandled }
  }

  /** Closes the caches. */
  async close(): Promise<void> {
    await Promise.all(this.alive.map(member => member.ask('close', undefined)))
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map(member => member.kill()))
    process.off('exit', this.#leave)
    await rm(this.#folder, removal)
  }
}
