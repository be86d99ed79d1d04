import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

export type Direction = 'requests' | 'replies'

/** Where a connection is cut. */
export interface Cut {
  /** The next command that contains this text, such as a script's hash. */
  readonly word: string
  readonly direction: Direction
  /** So many bytes of the command, or of what is answered after it, still arrive. */
  readonly after: number
}

/** How long a command, and its reply, were in bytes. */
export interface Exchange {
  readonly request: number
  readonly reply: number
}

interface Link {
  readonly client: Socket
  readonly server: Socket
  readonly held: Record<Direction, Buffer[]>
  /** Bytes of that direction go nowhere: TCP loses none in the middle, so none that follow arrive either. */
  readonly deaf: Record<Direction, boolean>
  /** Replies are counted down to the cut. */
  cutAfter: number | undefined
}

const directions: readonly Direction[] = ['requests', 'replies']

/** Stands between clients and a Redis, and does to their connections what networks do, as it is told. */
export class FaultProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #targetPort: number
  readonly #links = new Set<Link>()
  readonly #holding = { requests: false, replies: false }
  readonly #delayMs = { requests: 0, replies: 0 }
  #cut: Cut | undefined
  #measuring: { word: string; request: number; reply: number; link: Link | undefined } | undefined
  #cuts = 0

  private constructor(server: Server, targetPort: number) {
    this.#server = server
    this.#targetPort = targetPort
    server.on('connection', client => this.#accept(client))
  }

  static async start(targetPort: number): Promise<FaultProxy> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new FaultProxy(server, targetPort)
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the proxy is closed')
    return `redis://127.0.0.1:${address.port}`
  }

  /** From now on everything in that direction arrives so much later, in order. */
  delay(direction: Direction, ms: number): void {
    this.#delayMs[direction] = ms
  }

  /** Keeps back what is sent in that direction, on all connections, until `release`. */
  hold(direction: Direction): void {
    this.#holding[direction] = true
  }

  /** Passes on what was held, in order, also for clients that have hung up: they do not take back what they sent. */
  release(): void {
    for (const direction of directions) this.#holding[direction] = false
    for (const link of this.#links) {
      for (const direction of directions) {
        for (const chunk of link.held[direction].splice(0)) this.#write(link, direction, chunk)
      }
      if (link.client.destroyed) link.server.end()
    }
  }

  /** The connections that there are now never hear again what is sent to them in that direction. New ones do. */
  deafen(direction: Direction): void {
    for (const link of this.#links) link.deaf[direction] = true
  }

  /** How many connections were cut. */
  get cuts(): number {
    return this.#cuts
  }

  /** Cuts one connection with a reset, at that place. */
  cut(cut: Cut): void {
    this.#cut = cut
  }

  /** How many pieces are held back. */
  get held(): number {
    return [...this.#links].reduce((sum, { held }) => sum + held.requests.length + held.replies.length, 0)
  }

  /** Connections that their client has left and whose server has not yet read everything. */
  get abandoned(): number {
    return [...this.#links].filter(({ client }) => client.destroyed).length
  }

  /** Resets every connection at the client's end only: what it has sent may still arrive. */
  hangUp(): void {
    for (const { client } of this.#links) client.resetAndDestroy()
  }

  /** Resets every connection. */
  resetAll(): void {
    for (const link of this.#links) reset(link)
  }

  /** Starts to measure the next command that contains `word`. */
  measure(word: string): () => Exchange {
    const measuring = { word, request: 0, reply: 0, link: undefined }
    this.#measuring = measuring
    return () => measuring
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const link of this.#links) {
      link.client.destroy()
      link.server.destroy()
    }
    this.#server.close()
    await once(this.#server, 'close')
  }

  #accept(client: Socket): void {
    const server = connect(this.#targetPort, '127.0.0.1')
    const link: Link = {
      client,
      server,
      held: { requests: [], replies: [] },
      deaf: { requests: false, replies: false },
      cutAfter: undefined,
    }
    this.#links.add(link)
    client.setNoDelay(true)
    server.setNoDelay(true)
    client.on('data', (chunk: Buffer) => this.#request(link, chunk))
    server.on('data', (chunk: Buffer) => this.#reply(link, chunk))
    client.on('error', () => {})
    server.on('error', () => client.destroy())
    client.on('close', () => {
      if (link.held.requests.length === 0) server.end()
    })
    server.on('close', () => {
      this.#links.delete(link)
      client.destroy()
    })
  }

  #request(link: Link, chunk: Buffer): void {
    const measuring = this.#measuring
    if (measuring !== undefined && measuring.link === undefined && chunk.includes(measuring.word)) {
      measuring.link = link
      measuring.request = chunk.length
    }
    if (this.#cut === undefined || !chunk.includes(this.#cut.word)) return this.#pass(link, 'requests', chunk)
    const { direction, after } = this.#cut
    this.#cut = undefined
    if (direction === 'replies') {
      link.cutAfter = after
      this.#pass(link, 'requests', chunk)
      if (after === 0) this.#cutNow(link)
      return
    }
    this.#pass(link, 'requests', chunk.subarray(0, after))
    this.#cutNow(link)
  }

  #reply(link: Link, chunk: Buffer): void {
    if (this.#measuring?.link === link) {
      this.#measuring.reply = chunk.length
      this.#measuring = undefined
    }
    if (link.cutAfter === undefined) return this.#pass(link, 'replies', chunk)
    const part = chunk.subarray(0, link.cutAfter)
    link.cutAfter -= part.length
    if (part.length > 0) this.#pass(link, 'replies', part)
    if (link.cutAfter === 0) this.#cutNow(link)
  }

  /** What was written before has to leave first: a reset takes back what has not. */
  #cutNow(link: Link): void {
    link.deaf.requests = true
    link.deaf.replies = true
    setTimeout(() => {
      reset(link)
      this.#cuts++
    }, 2)
  }

  #pass(link: Link, direction: Direction, chunk: Buffer): void {
    if (link.deaf[direction]) return
    if (this.#holding[direction]) return void link.held[direction].push(chunk)
    const delayMs = this.#delayMs[direction]
    if (delayMs === 0) return this.#write(link, direction, chunk)
    setTimeout(() => this.#write(link, direction, chunk), delayMs)
  }

  #write(link: Link, direction: Direction, chunk: Buffer): void {
    const to = direction === 'requests' ? link.server : link.client
    if (!to.destroyed && to.writable) to.write(chunk)
  }
}

function reset({ client, server }: Link): void {
  client.resetAndDestroy()
  server.resetAndDestroy()
}
