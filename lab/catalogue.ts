import pg from 'pg'
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../demo/schedule.ts'
import { sharedNow } from '../demo/shared-clock.ts'

/** What the service answers with. */
export interface Product {
  readonly id: number
  readonly name: string
  readonly price_cents: number
  readonly tags: readonly string[]
  readonly text: string
  /** Raised by each change, so that an old row is known when it is seen. */
  readonly version: number
}

export interface SourcePace {
  readonly latencyMs: number
  readonly slowShare: number
  readonly slowFactor: number
}

/** Loads of one process: when each began and ended on the shared clock, and what it loaded. */
export interface Loads {
  readonly beganAt: Float64Array
  readonly endedAt: Float64Array
  readonly product: Uint32Array
}

/**
 * The products, in Postgres. Statements carry their numbers in the text: the embedded Postgres shares one session among its clients, where the
 * parts of a parametrised query from two clients would mix.
 */
export class Catalogue {
  readonly #pool: pg.Pool
  readonly #schema: string
  readonly #random: () => number
  #pace: SourcePace = { latencyMs: 0, slowShare: 0, slowFactor: 1 }
  #began: number[] = []
  #ended: number[] = []
  #product: number[] = []

  constructor(databaseUrl: string, schema: string, seed = 1) {
    this.#pool = new pg.Pool({ connectionString: databaseUrl, max: 10 })
    this.#pool.on('error', () => {})
    this.#schema = schema
    this.#random = seededRandom(seed)
  }

  async create(products: number, valueBytes: number): Promise<void> {
    await this.#pool.query(`
      CREATE SCHEMA ${this.#schema};
      CREATE TABLE ${this.#schema}.product (id int PRIMARY KEY, name text NOT NULL, price_cents int NOT NULL, text text NOT NULL,
        version int NOT NULL);
      INSERT INTO ${this.#schema}.product SELECT n, 'Product ' || n, 1000 + 37 * n,
        substr(repeat(md5(n::text), ${Math.ceil(valueBytes / 32)}), 1, ${valueBytes}), 1 FROM generate_series(1, ${products}) n`)
  }

  async drop(): Promise<void> {
    await this.#pool.query(`DROP SCHEMA IF EXISTS ${this.#schema} CASCADE`)
  }

  /** What was loaded before is forgotten. */
  begin(pace: SourcePace): void {
    this.#pace = pace
    this.#began = []
    this.#ended = []
    this.#product = []
  }

  get queries(): number {
    return this.#began.length
  }

  /** The loader of every contender: a query, then the latency of a slow source, awaited here in the service. */
  async load(id: number): Promise<Product> {
    const { latencyMs, slowShare, slowFactor } = this.#pace
    const ended = this.#ended
    const index = this.#began.push(sharedNow()) - 1
    this.#product.push(id)
    const slow = this.#random() < slowShare
    try {
      const product = await this.#query(id)
      await sleep(slow ? latencyMs * slowFactor : latencyMs)
      return product
    } finally {
      ended[index] = sharedNow()
    }
  }

  /** Changes the row and says its new version. */
  async change(id: number): Promise<number> {
    const { rows } = await this.#pool.query<{ version: number }>(`
      UPDATE ${this.#schema}.product SET price_cents = price_cents + 1, version = version + 1
      WHERE id = ${integer(id)} RETURNING version`)
    return this.#only(rows, id).version
  }

  loads(): Loads {
    const now = sharedNow()
    return {
      beganAt: Float64Array.from(this.#began),
      endedAt: Float64Array.from(this.#began, (_, index) => this.#ended[index] ?? now),
      product: Uint32Array.from(this.#product),
    }
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }

  async #query(id: number): Promise<Product> {
    const { rows } = await this.#pool.query<Omit<Product, 'tags'>>(
      `SELECT id, name, price_cents, text, version FROM ${this.#schema}.product WHERE id = ${integer(id)}`,
    )
    return { ...this.#only(rows, id), tags: ['shop', `shelf-${id % 7}`] }
  }

  #only<Row>(rows: readonly Row[], id: number): Row {
    const [row] = rows
    if (row === undefined) throw new Error(`no product ${id}`)
    return row
  }
}

function integer(id: number): number {
  if (!Number.isInteger(id)) throw new TypeError(`not a product id: ${id}`)
  return id
}
