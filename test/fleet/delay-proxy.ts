import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

type Direction = 'requests' | 'replies'

interface Link {
  readonly client: Socket
  readonly server: Socket
  /** What was sent since that direction is held; undefined while it is not. */
  readonly held: Record<Direction, Buffer[] | undefined>
}

/**
 * Stands between a client and Redis and passes bytes on. A connection on which the client sends `word` can be held from there on, in one
 * direction: the other end hears nothing more of it until `release`, and then all of it, in order.
 */
export class DelayProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #links = new Set<Link>()
  readonly #targetPort: number
  #hold: { readonly word: string; readonly direction: Direction } | undefined
  #heldChunks = 0

  private constructor(server: Server, targetPort: number) {
    this.#server = server
    this.#targetPort = targetPort
    server.on('connection', client => this.#accept(client))
  }

  static async start(redisUrl: string): Promise<DelayProxy> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new DelayProxy(server, Number(new URL(redisUrl).port || 6379))
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the proxy is closed')
    return `redis://127.0.0.1:${address.port}`
  }

  /** How many pieces have been held back so far. */
  get heldChunks(): number {
    return this.#heldChunks
  }

  hold(direction: Direction, word: string): void {
    this.#hold = { word, direction }
  }

  /** Passes on the first piece that is held of each connection, and goes on holding the rest. */
  releaseFirst(): void {
    for (const link of this.#links) {
      const request = link.held.requests?.shift()
      if (request !== undefined) link.server.write(request)
    }
  }

  release(): void {
    this.#hold = undefined
    for (const link of this.#links) {
      for (const chunk of link.held.requests ?? []) link.server.write(chunk)
      for (const chunk of link.held.replies ?? []) if (!link.client.destroyed) link.client.write(chunk)
      link.held.requests = undefined
      link.held.replies = undefined
      if (link.client.destroyed) link.server.end()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { client, server } of this.#links) {
      client.destroy()
      server.destroy()
    }
    this.#server.close()
    await once(this.#server, 'close')
  }

  #accept(client: Socket): void {
    const server = connect(this.#targetPort, '127.0.0.1')
    const link: Link = { client, server, held: { requests: undefined, replies: undefined } }
    this.#links.add(link)
    client.setNoDelay(true)
    server.setNoDelay(true)
    client.on('data', (chunk: Buffer) => {
      if (this.#hold !== undefined && chunk.includes(this.#hold.word)) link.held[this.#hold.direction] ??= []
      this.#pass(chunk, server, link.held.requests)
    })
    server.on('data', (chunk: Buffer) => this.#pass(chunk, client, link.held.replies))
    client.on('error', () => {})
    server.on('error', () => client.destroy())
    // A client that hangs up does not take back what it sent.
    client.on('close', () => {
      if (link.held.requests === undefined) server.end()
    })
    server.on('close', () => {
      this.#links.delete(link)
      client.destroy()
    })
  }

  #pass(chunk: Buffer, to: Socket, held: Buffer[] | undefined): void {
    if (held !== undefined) {
      this.#heldChunks++
      held.push(chunk)
    } else if (!to.destroyed) {
      to.write(chunk)
    }
  }
}
