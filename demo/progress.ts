import type { ContenderName } from './contender.ts'
import type { Counts } from './messages.ts'
import type { Outcome } from './outcome.ts'
import { count, milliseconds, type Paint, paintFor } from './paint.ts'
import type { Setting } from './report.ts'
import type { Scene } from './scenes.ts'
import { Sparkline } from './sparkline.ts'

/** The bars get what a line of numbers leaves of the terminal's width, up to 30 characters. */
const widestBars = 30
const numbersWidth = 62
/** What a full bar stands for at least. */
const smallestScale = 10
/** After the last request the last answers still come in. */
const lastAnswersMs = 300
const hideCursor = '\u001B[?25l'
const showCursor = '\u001B[?25h'
const restartLine = '\r\u001B[2K'

/** Shows what is going on: one live line per run on a terminal, one plain line per finished run elsewhere. */
export class Progress {
  readonly #stream: NodeJS.WriteStream
  readonly #paint: Paint
  readonly #live: boolean
  #scale = smallestScale

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
    this.#paint = paintFor(stream)
    this.#live = stream.isTTY && stream.columns > numbersWidth && process.env['TERM'] !== 'dumb'
    if (this.#live) stream.write(hideCursor)
  }

  line(text: string = ''): void {
    this.#stream.write(`${this.#live ? restartLine : ''}${text}\n`)
  }

  /** Something short-lived on a terminal, overwritten by whatever comes next. */
  passing(text: string): void {
    if (this.#live) this.#stream.write(`${restartLine}${this.#paint('dim', text)}`)
  }

  introduce(setting: Setting): void {
    const { workers, redis, postgres, queryMs, sourceLatencyMs, metrics } = setting
    this.line(`${this.#paint('bold', 'Leasehold')}: the same load on the usual cache-aside and on Leasehold.`)
    const facts = [
      ['workers', `${workers} ${workers === 1 ? 'process' : 'processes'}, requests skewed towards a few popular products`],
      ['Redis', redis ?? 'none'],
      ['Postgres', postgres],
      ['a load', `one query (${milliseconds(queryMs)}) + ${sourceLatencyMs} ms awaited in the worker for a slow source`],
      ...metrics.map(url => ['metrics', url] as const),
    ] as const
    for (const [name, fact] of facts) this.line(`  ${name.padEnd(8)}  ${this.#paint('dim', fact)}`)
    for (const line of setting.notShown) this.line(this.#paint('yellow', `  ${line}`))
    this.line(`  ${'the bars'.padEnd(8)}  ${this.#paint('dim', 'database queries over time, on one scale per scene')}`)
  }

  scene(scene: Scene, number: number, of: number): void {
    this.#scale = smallestScale
    this.line()
    this.line(`${this.#paint('bold', `${number}/${of} ${scene.name}`)}: ${scene.what}`)
  }

  /** Follows one run. Its contenders share a scale, so that their bars can be compared. */
  run(contender: ContenderName, scene: Scene): { counts: (counts: Counts) => void; end: (outcome: Outcome) => void } {
    const width = Math.min(widestBars, (this.#live ? this.#stream.columns : Infinity) - numbersWidth)
    const spark = new Sparkline(width, scene.load.durationMs + lastAnswersMs)
    let startedAt: number | undefined
    let seen = 0
    let seenAtMs = 0
    const show = (requests: number, queries: number, rest: string, end: string): void => {
      this.#scale = Math.max(this.#scale, spark.highest)
      const name = this.#paint(contender === 'Leasehold' ? 'green' : 'yellow', contender.padEnd(11))
      const numbers = `${count(requests).padStart(6)} requests  ${count(queries).padStart(5)} queries${rest}`
      this.#stream.write(`${this.#live ? restartLine : ''}  ${name} ▕${spark.draw(this.#scale)}▏ ${numbers}${end}`)
    }
    const advance = (queries: number): void => {
      startedAt ??= performance.now()
      const nowMs = performance.now() - startedAt
      spark.add(queries - seen, seenAtMs, nowMs)
      seen = queries
      seenAtMs = nowMs
    }
    return {
      counts: counts => {
        advance(counts.queries)
        const waiting = counts.requests - counts.answered
        if (this.#live) show(counts.requests, counts.queries, this.#paint('dim', `  ${count(waiting)} waiting`), '')
      },
      end: outcome => {
        advance(outcome.databaseQueries)
        const stale = outcome.staleAfterDelete
        const told = stale === null ? '' : this.#paint(stale > 0 ? 'red' : 'green', `  ${count(stale)} stale`)
        show(outcome.requests, outcome.databaseQueries, told, '\n')
      },
    }
  }

  close(): void {
    if (this.#live) this.#stream.write(`${restartLine}${showCursor}`)
  }
}
