import { connect, type Socket } from 'node:net'

/** Told once per request: the status (0 when there was no answer) and the body, or what went wrong. */
export type OnAnswer = (status: number, body: string) => void

interface Request {
  readonly port: number
  readonly head: string
  readonly givenUpAt: number
  readonly onAnswer: OnAnswer
}

interface Limits {
  readonly connections: number
  readonly timeoutMs: number
}

const sweepMs = 50

/**
 * As much of an HTTP client as the load needs: one request at a time on each kept-alive connection, a limit of connections beyond which requests
 * wait, and a timeout that counts the waiting. Node's own client would need a core for itself at the rates that the lab is to offer.
 */
export class HttpClient {
  readonly #limits: Limits
  readonly #idle = new Map<number, Connection[]>()
  readonly #busy = new Set<Connection>()
  readonly #waiting: Request[] = []
  readonly #sweeping: NodeJS.Timeout

  constructor(limits: Limits) {
    this.#limits = limits
    this.#sweeping = setInterval(() => this.#giveUpLate(), sweepMs)
  }

  send(port: number, method: 'GET' | 'POST', path: string, onAnswer: OnAnswer): void {
    const head = `${method} ${path} HTTP/1.1\r\nHost: lab\r\n${method === 'POST' ? 'Content-Length: 0\r\n' : ''}\r\n`
    const request: Request = { port, head, givenUpAt: performance.now() + this.#limits.timeoutMs, onAnswer }
    if (this.#waiting.length > 0 || !this.#dispatch(request)) this.#waiting.push(request)
  }

  close(): void {
    clearInterval(this.#sweeping)
    for (const connection of [...this.#busy, ...[...this.#idle.values()].flat()]) connection.end('closed')
  }

  #dispatch(request: Request): boolean {
    const connection = this.#idle.get(request.port)?.pop() ?? this.#open(request.port)
    if (connection === undefined) return false
    this.#busy.add(connection)
    connection.ask(request)
    return true
  }

  #open(port: number): Connection | undefined {
    if (this.#busy.size >= this.#limits.connections) return undefined
    const idle = this.#idle.get(port) ?? []
    this.#idle.set(port, idle)
    return new Connection(port, {
      free: connection => {
        this.#busy.delete(connection)
        idle.push(connection)
        this.#dispatchWaiting()
      },
      gone: connection => {
        this.#busy.delete(connection)
        const at = idle.indexOf(connection)
        if (at !== -1) idle.splice(at, 1)
        this.#dispatchWaiting()
      },
    })
  }

  #dispatchWaiting(): void {
    while (this.#waiting[0] !== undefined && this.#dispatch(this.#waiting[0])) this.#waiting.shift()
  }

  #giveUpLate(): void {
    const now = performance.now()
    while (this.#waiting[0] !== undefined && this.#waiting[0].givenUpAt <= now) this.#waiting.shift()?.onAnswer(0, 'timeout')
    for (const connection of this.#busy) if (connection.givenUpAt <= now) connection.end('timeout')
  }
}

interface Owner {
  readonly free: (connection: Connection) => void
  readonly gone: (connection: Connection) => void
}

class Connection {
  readonly #socket: Socket
  readonly #owner: Owner
  #request: Request | undefined
  #received = ''

  constructor(port: number, owner: Owner) {
    this.#owner = owner
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.setEncoding('latin1')
    this.#socket.on('data', (data: string) => this.#receive(data))
    this.#socket.on('error', error => this.end(error.message))
    this.#socket.on('close', () => this.end('connection closed'))
  }

  get givenUpAt(): number {
    return this.#request?.givenUpAt ?? Infinity
  }

  ask(request: Request): void {
    this.#request = request
    this.#socket.write(request.head)
  }

  end(why: string): void {
    const request = this.#request
    this.#request = undefined
    this.#socket.destroy()
    this.#owner.gone(this)
    request?.onAnswer(0, why)
  }

  #receive(data: string): void {
    this.#received += data
    const bodyAt = this.#received.indexOf('\r\n\r\n') + 4
    if (bodyAt === 3) return
    const length = /\r\ncontent-length: (\d+)/i.exec(this.#received)?.[1]
    if (length === undefined) return this.end('an answer without its length')
    const endsAt = bodyAt + Number(length)
    if (this.#received.length < endsAt) return
    const status = Number(this.#received.slice(9, 12))
    const body = this.#received.slice(bodyAt, endsAt)
    const request = this.#request
    this.#request = undefined
    this.#received = ''
    this.#owner.free(this)
    request?.onAnswer(status, body)
  }
}
