import { count, milliseconds, type Paint, paintFor } from '../demo/paint.ts'
import { Sparkline } from '../demo/sparkline.ts'
import { type ContenderId, contenders } from './contenders/index.ts'
import type { Figures } from './figures.ts'
import type { Counts } from './messages.ts'
import type { Machine } from './results.ts'
import type { Scenario } from './scenarios.ts'
import type { Settings } from './settings.ts'

const bars = 24
const hideCursor = '\u001B[?25l'
const showCursor = '\u001B[?25h'
const restartLine = '\r\u001B[2K'

/** Shows what is going on: one live line per run on a terminal, one plain line per finished run elsewhere. */
export class Progress {
  readonly #stream: NodeJS.WriteStream
  readonly #paint: Paint
  readonly #live: boolean

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
    this.#paint = paintFor(stream)
    this.#live = stream.isTTY && process.env['TERM'] !== 'dumb'
    if (this.#live) stream.write(hideCursor)
  }

  line(text: string = ''): void {
    this.#stream.write(`${this.#live ? restartLine : ''}${text}\n`)
  }

  /** Something short-lived on a terminal, overwritten by whatever comes next. */
  passing(text: string): void {
    if (this.#live) this.#stream.write(`${restartLine}${this.#paint('dim', text)}`)
  }

  introduce(machine: Machine, settings: Settings): void {
    const { workers, perSecond, products, skew, ttlMs, latencyMs, writes } = settings
    this.line(`${this.#paint('bold', 'The lab')}: the same requests, at the same moments, for each way to cache.`)
    this.line(`  ${machine.node}, Redis ${machine.redis}, Postgres: ${machine.postgres}; ${machine.cores} cores`)
    this.line(
      `  ${workers} service processes, ${count(perSecond)} requests/s for ${count(products)} products (Zipf ${skew}); ` +
        `${milliseconds(latencyMs)} per load, cached for ${milliseconds(ttlMs)}; ${writes * 100} % writes where there are any`,
    )
    if (machine.loadBefore > 1)
      this.line(
        this.#paint(
          'yellow',
          `  This machine is busy (load ${machine.loadBefore.toFixed(1)}): read the ratios, not the milliseconds.`,
        ),
      )
  }

  scenario({ title, what }: Scenario, number: number, of: number): void {
    this.line()
    this.line(`${this.#paint('bold', `${number}/${of} ${title}`)}: ${what}`)
  }

  run(contender: ContenderId, scenario: Scenario): { counts: (counts: Counts) => void; end: (figures: Figures) => void } {
    const { title, ours } = contenders[contender]
    const name = this.#paint(ours ? 'green' : 'yellow', title.padEnd(22))
    this.passing(`  ${title}: warming up ...`)
    const measuredAfterMs = scenario.warmUpMs
    const startedAt = performance.now()
    return {
      counts: ({ sent, answered, failed }) => {
        if (!this.#live || performance.now() - startedAt < measuredAfterMs) return
        const waiting = sent - answered - failed
        const told = failed > 0 ? `, ${count(failed)} failed` : ''
        this.#stream.write(`${restartLine}  ${name} ${count(sent).padStart(8)} requests, ${count(waiting)} under way${told}`)
      },
      end: figures => {
        const spark = new Sparkline(bars, figures.timeline.queries.length)
        for (const [slice, queries] of figures.timeline.queries.entries()) if (queries > 0) spark.add(queries, slice, slice + 1)
        const failed = figures.failedReads + figures.failedWrites
        const parts = [
          `${count(figures.databaseQueries)} queries`,
          `p50 ${milliseconds(figures.p50Ms)}`,
          `p99 ${milliseconds(figures.p99Ms)}`,
          ...(figures.writes > 0 ? [`${count(figures.stale)} stale`] : []),
          ...(failed > 0 ? [`${count(failed)} failed`] : []),
        ]
        this.line(`  ${name} ▕${spark.draw(Math.max(1, spark.highest))}▏ ${parts.join(', ')}`)
      },
    }
  }

  close(): void {
    if (this.#live) this.#stream.write(`${restartLine}${showCursor}`)
  }
}
