import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** What becomes of the bytes that pass, as Latin-1; undefined: they are lost. */
export interface Rewriting {
  readonly request?: (text: string) => string | undefined
  readonly reply?: (text: string) => string | undefined
}

/** Stands between a client and a server, and changes what they say. */
export class RewritingProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(port: number, { request, reply }: Rewriting): Promise<RewritingProxy> {
    const server = createServer()
    const proxy = new RewritingProxy(server)
    server.on('connection', client => {
      const upstream = connect(port, '127.0.0.1')
      for (const socket of [client, upstream]) {
        proxy.#sockets.add(socket)
        socket.on('error', () => {})
        socket.on('close', () => {
          client.destroy()
          upstream.destroy()
        })
      }
      pass(client, upstream, request)
      pass(upstream, client, reply)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return proxy
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the proxy is closed')
    return address.port
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

function pass(from: Socket, to: Socket, rewrite: ((text: string) => string | undefined) | undefined): void {
  from.on('data', data => {
    const text = data.toString('latin1')
    const rewritten = rewrite === undefined ? text : rewrite(text)
    if (rewritten !== undefined) to.write(Buffer.from(rewritten, 'latin1'))
  })
}
