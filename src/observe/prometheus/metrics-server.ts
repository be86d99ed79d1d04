import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Registry } from 'prom-client'
import { invalidOption } from '../../core/options/invalid-option.ts'
import { checkOptions, textOr } from '../check-arguments.ts'
import { registryOr } from './registered-metric.ts'

export interface MetricsHandlerOptions {
  /** Default: prom-client's global registry. */
  readonly registry?: Registry
}

/** What holds Node's response as `raw`: the reply of Fastify 4 and later. */
interface WrappedResponse {
  readonly raw: ServerResponse
}

/**
 * Answers with the metrics: to `node:http`, Express and all that hand on Node's request and response, to Fastify's reply, or as a `Response` where there is
 * only a request.
 */
export interface MetricsHandler {
  (request: IncomingMessage, response: ServerResponse): Promise<void>
  (request: object, reply: WrappedResponse): Promise<void>
  (request?: Request): Promise<Response>
}

const handlerOptionNames: ReadonlySet<string> = new Set<keyof MetricsHandlerOptions>(['registry'])

/**
 * A request handler for your own server.
 *
 * @throws LeaseholdError `INVALID_OPTION`, `UNKNOWN_OPTION`
 */
export function metricsHandler(options: MetricsHandlerOptions = {}): MetricsHandler {
  checkOptions(options, handlerOptionNames)
  const registry = registryOr(options.registry)
  async function handle(request: object, response: ServerResponse | WrappedResponse): Promise<void>
  async function handle(request?: Request): Promise<Response>
  async function handle(_request?: object, response?: ServerResponse | WrappedResponse): Promise<Response | void> {
    const { status, headers, body } = await render(registry)
    if (response === undefined) return new Response(body, { status, headers })
    const own = 'raw' in response ? response.raw : response
    own.writeHead(status, headers)
    own.end(body)
  }
  return handle
}

export interface MetricsServerOptions extends MetricsHandlerOptions {
  /** 0 takes any free one. */
  readonly port: number
  /** Default `'127.0.0.1'`: only this machine. Metrics name your caches and resources. */
  readonly host?: string
  /** Default `'/metrics'`. */
  readonly path?: string
}

export interface MetricsServer {
  readonly port: number
  readonly url: string
  close(): Promise<void>
}

const serverOptionNames: ReadonlySet<string> = new Set<keyof MetricsServerOptions>(['registry', 'port', 'host', 'path'])

/**
 * Serves the metrics on a port of their own. The process may exit while it runs.
 *
 * @throws LeaseholdError `INVALID_OPTION`, `UNKNOWN_OPTION`; the error of `listen` when the port is taken
 */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  checkOptions(options, serverOptionNames)
  const { port, path = '/metrics', registry } = options
  const host = textOr('host', options.host, '127.0.0.1')
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw invalidOption('port', port, 'a whole number from 0 to 65535')
  if (typeof path !== 'string' || !path.startsWith('/')) throw invalidOption('path', path, 'text that begins with /')
  const handle = metricsHandler(registry === undefined ? {} : { registry })
  const server = createServer((request, response) => {
    if (request.url?.split('?', 1)[0] === path && (request.method === 'GET' || request.method === 'HEAD')) {
      void handle(request, response)
    } else response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n')
  })
  // A scraper may hold its connection for as long as it likes.
  server.on('connection', socket => socket.unref())
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  server.unref()
  const bound = (server.address() as AddressInfo).port
  const shownHost = host.includes(':') ? `[${host}]` : host
  return { port: bound, url: `http://${shownHost}:${bound}${path}`, close: () => closeServer(server) }
}

interface Rendered {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

async function render(registry: Registry): Promise<Rendered> {
  try {
    return { status: 200, headers: { 'content-type': registry.contentType }, body: await registry.metrics() }
  } catch {
    // What failed is another library's collector; what it says may hold anything.
    return { status: 500, headers: { 'content-type': 'text/plain' }, body: 'a metric could not be collected\n' }
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
