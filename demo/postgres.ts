import { once } from 'node:events'
import { forkTypeScript, stopChild } from './child-process.ts'
import { Products, warmUpProduct } from './products.ts'

export interface Postgres {
  readonly url: string
  readonly schema: string
  /** For the viewer, without credentials. */
  readonly label: string
  /** The median cost of the demo's query here. */
  readonly queryMs: number
  close(): Promise<void>
}

/** `DATABASE_URL`, in a schema of our own that is dropped at the end, else an embedded Postgres in a child process, whose start ends with `signal`. */
export async function startPostgres(signal: AbortSignal): Promise<Postgres> {
  const server = await startPostgresServer(signal)
  const schema = `leasehold_demo_${process.pid}`
  const products = new Products(server.url, schema)
  const close = async (): Promise<void> => {
    try {
      if (server.given) await products.drop()
      await products.close()
    } finally {
      await server.close()
    }
  }
  try {
    await products.create()
    return { url: server.url, schema, label: server.label, queryMs: await medianQueryMs(products), close }
  } catch (error) {
    await close().catch(() => {})
    throw error
  }
}

export interface PostgresServer {
  readonly url: string
  readonly label: string
  /** It was there before us, so what we make in it is ours to remove. */
  readonly given: boolean
  close(): Promise<void>
}

/** `DATABASE_URL`, else an embedded Postgres in a child process, whose start ends with `signal`. */
export async function startPostgresServer(signal: AbortSignal): Promise<PostgresServer> {
  const url = process.env['DATABASE_URL']
  return url === undefined ? startEmbedded(signal) : { url, label: hostOf(url), given: true, close: async () => {} }
}

async function startEmbedded(signal: AbortSignal): Promise<PostgresServer> {
  const child = forkTypeScript(new URL('postgres-process.ts', import.meta.url))
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`the embedded Postgres ended (${String(code)})`)
  })
  failed.catch(() => {})
  signal.addEventListener('abort', () => child.kill('SIGKILL'))
  const [message] = (await Promise.race([once(child, 'message'), failed])) as [{ url: string }]
  const label = 'embedded PGlite, which runs one statement at a time'
  return { url: message.url, label, given: false, close: () => stopChild(child) }
}

function hostOf(url: string): string {
  return URL.canParse(url) ? `the server at ${new URL(url).host || 'DATABASE_URL'}` : 'the server of DATABASE_URL'
}

async function medianQueryMs(products: Products): Promise<number> {
  const times: number[] = []
  for (let run = 0; run < 15; run++) {
    const startedAt = performance.now()
    await products.query(warmUpProduct)
    times.push(performance.now() - startedAt)
  }
  return times.toSorted((a, b) => a - b)[7] ?? 0
}
