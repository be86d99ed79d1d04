import { exitCodes } from '../cli-error.ts'
import type { Console } from '../console.ts'
import { isSilence } from '../connect.ts'
import { type Deployment, withDeployment } from '../deployment.ts'
import { cutLine } from '../table.ts'
import { Collector } from '../top/collector.ts'
import { drawFrame, drawSilence } from '../top/frame.ts'
import type { Snapshot } from '../top/snapshot.ts'
import { WakeUps } from '../top/wake-ups.ts'

export interface TopOptions {
  readonly url: string
  readonly intervalSeconds: number
  /** Frames until it ends by itself. */
  readonly frames: number
  readonly json: boolean
}

const enterScreen = '\u001B[?1049h\u001B[?25l'
const leaveScreen = '\u001B[?25h\u001B[?1049l'
const home = '\u001B[H'
const restOfLine = '\u001B[K'
const restOfScreen = '\u001B[J'
/** q, Ctrl-C and Ctrl-D: in raw mode they are bytes like any other. */
const endingKeys = [0x71, 0x03, 0x04]
const historyLength = 30
const plainSize = { columns: 120, rows: 40 }
/** Of a terminal that does not tell its size. */
const liveColumns = 80
const liveRows = 24

/** Shows a server at work: a screen that is redrawn, or frame after frame where no terminal is. */
export async function top(console: Console, options: TopOptions): Promise<number> {
  return withDeployment(options.url, deployment => watch(console, deployment, options))
}

async function watch(console: Console, deployment: Deployment, options: TopOptions): Promise<number> {
  const { json, intervalSeconds } = options
  const { stdout, stdin } = console.streams
  const live = console.live && !json
  const end = new End(stdin, live)
  if (live) stdout.write(enterScreen)
  try {
    const collector = new Collector(deployment.node, await WakeUps.listen(await deployment.another()))
    const history: (number | undefined)[] = []
    let silentSinceMs: number | undefined
    for (let frame = 0; frame < options.frames && !end.come; frame++) {
      const askedAtMs = performance.now()
      // The first answer has nothing to compare with.
      const snapshot = await Promise.race([lookOnce(collector), end.reached])
      if (snapshot === undefined) break
      silentSinceMs = snapshot === 'silent' ? (silentSinceMs ?? askedAtMs) : undefined
      const size = live ? { columns: stdout.columns || liveColumns, rows: stdout.rows || liveRows } : plainSize
      const shown = { ...size, history, label: deployment.label, paint: console.paint, intervalSeconds, keyboard: live }
      let lines: readonly string[]
      if (snapshot === 'silent') {
        const silentMs = Math.round(performance.now() - (silentSinceMs ?? askedAtMs))
        if (json) console.json({ silentMs })
        lines = drawSilence(silentMs, shown)
      } else {
        history.push(snapshot.lookUps.found)
        if (history.length > historyLength) history.shift()
        if (json) console.json(snapshot)
        lines = drawFrame(snapshot, shown)
      }
      if (live) console.write(screenOf(lines, size))
      else if (!json) console.line(`${frame === 0 ? '' : '\n'}${lines.join('\n')}`)
      if (frame + 1 < options.frames) await end.within(intervalSeconds * 1_000)
    }
    return exitCodes.fine
  } finally {
    end.close()
    if (live) stdout.write(leaveScreen)
  }
}

/** A server that hangs may come back, and is looked at again. */
async function lookOnce(collector: Collector): Promise<Snapshot | 'silent'> {
  try {
    return await collector.collect()
  } catch (error) {
    if (isSilence(error)) return 'silent'
    throw error
  }
}

function screenOf(lines: readonly string[], { columns, rows }: { readonly columns: number; readonly rows: number }): string {
  const visible = lines.slice(0, rows).map(line => cutLine(line, columns) + restOfLine)
  return `${home}${visible.join('\n')}${restOfScreen}`
}

/** The user's wish to stop: q, Ctrl-C or a signal. */
class End {
  readonly #stdin: NodeJS.ReadStream
  readonly #raw: boolean
  #come = false
  #wake: () => void = () => {}
  #reach: () => void = () => {}
  /** Resolves when the end comes. */
  readonly reached: Promise<undefined> = new Promise(resolve => (this.#reach = () => resolve(undefined)))
  readonly #onKey = (keys: Buffer): void => {
    if (keys.some(byte => endingKeys.includes(byte))) this.#stop()
  }
  readonly #stop = (): void => {
    this.#come = true
    this.#reach()
    this.#wake()
  }

  constructor(stdin: NodeJS.ReadStream, live: boolean) {
    this.#stdin = stdin
    this.#raw = live && stdin.isTTY
    if (this.#raw) stdin.setRawMode(true).on('data', this.#onKey).resume()
    process.on('SIGINT', this.#stop).on('SIGTERM', this.#stop)
  }

  get come(): boolean {
    return this.#come
  }

  /** Resolves after so long, or when the end comes. */
  within(ms: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
      if (this.#come) this.#wake()
    })
  }

  close(): void {
    process.off('SIGINT', this.#stop).off('SIGTERM', this.#stop)
    if (this.#raw) this.#stdin.setRawMode(false).off('data', this.#onKey).pause()
  }
}
