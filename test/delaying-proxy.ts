import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** Stands between a client and a server and lets every request wait. */
export class DelayingProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(port: number, delayMs: number): Promise<DelayingProxy> {
    const server = createServer()
    const proxy = new DelayingProxy(server)
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
      client.on('data', data => void setTimeout(() => upstream.write(data), delayMs))
      upstream.pipe(client)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return proxy
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the proxy is closed')
    return `redis://127.0.0.1:${address.port}`
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
