import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Catalogue } from './catalogue.ts'
import { answerQuestions } from './child-side.ts'
import { contenders } from './contenders/index.ts'
import type { Contender } from './contenders/contender.ts'
import type { FromService, ServiceAccount, ToService } from './messages.ts'

interface Reply {
  readonly status: number
  readonly body: object
}

/** One process of the service: `GET /<id>` answers with a product, `POST /<id>` changes it and then invalidates it. */
class Service {
  readonly #settings: Extract<ToService, { kind: 'open' }>
  readonly #catalogue: Catalogue
  readonly #server: Server
  readonly #heapAtFirst: number
  #contender: Contender
  #reads = 0
  #missesBefore = 0
  #cpuBefore: NodeJS.CpuUsage = process.cpuUsage()

  constructor(settings: Extract<ToService, { kind: 'open' }>) {
    this.#settings = settings
    this.#catalogue = new Catalogue(settings.databaseUrl, settings.schema, settings.seed)
    this.#catalogue.begin(settings.pace)
    this.#contender = this.#openContender()
    this.#server = createServer((request, response) => void this.#handle(request, response))
    this.#server.keepAliveTimeout = 120_000
    this.#heapAtFirst = collectedHeap()
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1', 2048)
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  async reopen(): Promise<void> {
    await this.#contender.close()
    this.#contender = this.#openContender()
  }

  begin(): void {
    this.#catalogue.begin(this.#settings.pace)
    this.#reads = 0
    this.#missesBefore = this.#contender.misses
    this.#cpuBefore = process.cpuUsage()
  }

  account(): ServiceAccount {
    const { user, system } = process.cpuUsage(this.#cpuBefore)
    return {
      loads: this.#catalogue.loads(),
      reads: this.#reads,
      misses: this.#contender.misses - this.#missesBefore,
      cpuMs: (user + system) / 1000,
      heapGrowthBytes: Math.max(0, collectedHeap() - this.#heapAtFirst),
    }
  }

  /** What is under way is answered first. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeIdleConnections()
    await closed
    await this.#contender.close()
    await this.#catalogue.close()
  }

  #openContender(): Contender {
    const { contender, redisUrl, namespace, ttlMs } = this.#settings
    return contenders[contender].open({ load: id => this.#catalogue.load(id), redisUrl, namespace, ttlMs })
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = Number(request.url?.slice(1))
    try {
      const { status, body } = request.method === 'POST' ? await this.#change(id) : await this.#read(id)
      response.statusCode = status
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(body))
    } catch (error) {
      response.statusCode = 503
      response.end(error instanceof Error ? error.message : String(error))
    }
  }

  async #read(id: number): Promise<Reply> {
    this.#reads++
    return { status: 200, body: await this.#contender.read(id) }
  }

  /** 202: changed, and the invalidation is yet to happen. */
  async #change(id: number): Promise<Reply> {
    const version = await this.#catalogue.change(id)
    const outcome = await this.#contender.remove(id)
    return { status: outcome === 'applied' ? 200 : 202, body: { version } }
  }
}

function collectedHeap(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

let service: Service | undefined

async function answer(question: ToService): Promise<FromService> {
  if (question.kind === 'open') {
    service = new Service(question)
    return { kind: 'listening', port: await service.listen() }
  }
  if (service === undefined) throw new Error(`${question.kind} before open`)
  switch (question.kind) {
    case 'reopen':
      await service.reopen()
      return { kind: 'done' }
    case 'begin':
      service.begin()
      return { kind: 'done' }
    case 'finish':
      return { kind: 'finished', account: service.account() }
    case 'drain': {
      const account = service.account()
      await service.close()
      return { kind: 'finished', account }
    }
  }
}

answerQuestions(answer)
