import pg from 'pg'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SourceLatency } from './scenes.ts'
import { sharedNow } from './shared-clock.ts'

/** What a product page shows. */
export interface Product {
  readonly id: number
  readonly name: string
  readonly price_cents: number
  /** Raised by each edit, so that an old row is known when it is seen. */
  readonly version: number
  readonly sales: number
  readonly sold: number
}

/** The product that is only read to warm connections and code up, never by a scene. */
export const warmUpProduct = 0
const products = 60
const sales = 20_000

/**
 * The products of one demo run, in Postgres. Statements carry their numbers in the text: the embedded Postgres shares one session
 * among its clients, where the parts of a parametrised query from two clients would mix.
 */
export class Products {
  readonly #pool: pg.Pool
  readonly #schema: string
  #latency: SourceLatency = { usualMs: 0 }
  #sceneStartedAt = 0
  /** Queries sent by `load` since the scene began. */
  queries = 0

  constructor(databaseUrl: string, schema: string) {
    this.#pool = new pg.Pool({ connectionString: databaseUrl, max: 10 })
    this.#pool.on('error', () => {})
    this.#schema = schema
  }

  async create(): Promise<void> {
    const s = this.#schema
    await this.#pool.query(`
      CREATE SCHEMA ${s};
      CREATE TABLE ${s}.product (id int PRIMARY KEY, name text NOT NULL, price_cents int NOT NULL, version int NOT NULL);
      CREATE TABLE ${s}.sale (id int PRIMARY KEY, product_id int NOT NULL, quantity int NOT NULL);
      INSERT INTO ${s}.product SELECT n, 'Product ' || n, 1000 + 37 * n, 1 FROM generate_series(0, ${products}) n;
      INSERT INTO ${s}.sale SELECT n, n % ${products + 1}, 1 + n * 7919 % 5 FROM generate_series(1, ${sales}) n;
      ANALYZE ${s}.sale`)
  }

  async drop(): Promise<void> {
    await this.#pool.query(`DROP SCHEMA IF EXISTS ${this.#schema} CASCADE`)
  }

  beginScene(latency: SourceLatency, startedAt: number): void {
    this.#latency = latency
    this.#sceneStartedAt = startedAt
    this.queries = 0
  }

  /** The loader that both contenders call: a real query, then the latency of a slow source, awaited here in the worker. */
  async load(id: number): Promise<Product> {
    const { usualMs, slowStart } = this.#latency
    const slow = slowStart !== undefined && sharedNow() < this.#sceneStartedAt + slowStart.untilMs
    this.queries++
    const product = await this.query(id)
    await sleep(slow ? slowStart.latencyMs : usualMs)
    return product
  }

  async query(id: number): Promise<Product> {
    const { rows } = await this.#pool.query<Product>(`
      SELECT p.id, p.name, p.price_cents, p.version, count(s.id)::int AS sales, coalesce(sum(s.quantity), 0)::int AS sold
      FROM ${this.#schema}.product p LEFT JOIN ${this.#schema}.sale s ON s.product_id = p.id
      WHERE p.id = ${integer(id)} GROUP BY p.id`)
    const [product] = rows
    if (product === undefined) throw new Error(`no product ${id}`)
    return product
  }

  /** Changes the row and says its new version. */
  async edit(id: number): Promise<number> {
    const { rows } = await this.#pool.query<{ version: number }>(`
      UPDATE ${this.#schema}.product SET price_cents = price_cents + 1, version = version + 1
      WHERE id = ${integer(id)} RETURNING version`)
    const [row] = rows
    if (row === undefined) throw new Error(`no product ${id}`)
    return row.version
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }
}

function integer(id: number): number {
  if (!Number.isInteger(id)) throw new TypeError(`not a product id: ${id}`)
  return id
}
