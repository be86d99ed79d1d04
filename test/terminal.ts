import { PassThrough } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { run } from '../src/cli/run.ts'

/** A command line at a terminal of this size, whose keys a test presses. */
export class Terminal {
  readonly #stdin = new PassThrough()
  readonly #columns: number
  readonly #rows: number
  #output = ''
  raw = false

  constructor(columns: number, rows: number) {
    this.#columns = columns
    this.#rows = rows
  }

  /** Everything that was written, escape sequences included. */
  get output(): string {
    return this.#output
  }

  /** The screens drawn so far, without colours. */
  get screens(): string[] {
    return this.#output
      .split('\u001B[H')
      .slice(1)
      .map(screen => stripVTControlCharacters(screen))
  }

  press(key: string): void {
    this.#stdin.write(key)
  }

  /** Ctrl-D at the beginning of a line. */
  endInput(): void {
    this.#stdin.end()
  }

  run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
    const setRawMode = (raw: boolean): unknown => {
      this.raw = raw
      return stdin
    }
    const stdin: unknown = Object.assign(this.#stdin, { isTTY: true, setRawMode })
    const stdout = {
      isTTY: true,
      columns: this.#columns,
      rows: this.#rows,
      hasColors: () => true,
      write: (text: string) => void (this.#output += text),
    }
    const streams = { stdin, stdout, stderr: stdout, env } as unknown as Parameters<typeof run>[1]
    return run(args, streams, { wallNow: () => Date.now() }, '0.0.0')
  }
}
