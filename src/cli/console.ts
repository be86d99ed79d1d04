import { createInterface } from 'node:readline/promises'
import { styleText } from 'node:util'
import { Secrets } from './secrets.ts'

export type Style = Parameters<typeof styleText>[0]

/** Colours where they can be seen, else the text as it is. */
export type Paint = (style: Style, text: string) => string

export interface Streams {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The terminal, or what stands in for it. Everything that commands print goes through here. */
export class Console {
  readonly streams: Streams
  readonly secrets: Secrets = new Secrets()
  readonly paint: Paint

  constructor(streams: Streams) {
    this.streams = streams
    this.paint = paintFor(streams)
  }

  /** A screen that can be redrawn. */
  get live(): boolean {
    return this.streams.stdout.isTTY && this.streams.env['TERM'] !== 'dumb'
  }

  write(text: string): void {
    this.streams.stdout.write(this.secrets.conceal(text))
  }

  line(text: string = ''): void {
    this.write(`${text}\n`)
  }

  json(value: unknown): void {
    this.line(JSON.stringify(value, plainJson, this.streams.stdout.isTTY ? 2 : undefined))
  }

  error(text: string): void {
    this.streams.stderr.write(`${this.secrets.conceal(text)}\n`)
  }

  /** Whether the user agrees; undefined where nobody can be asked. */
  async confirm(question: string): Promise<boolean | undefined> {
    const { stdin, stderr } = this.streams
    if (!stdin.isTTY) return undefined
    const reader = createInterface({ input: stdin, output: stderr, terminal: false })
    // Ctrl-D ends the input without an answer.
    const ended = new Promise<string>(resolve => reader.once('close', () => resolve('')))
    try {
      const answer = await Promise.race([reader.question(this.secrets.conceal(`${question} [y/N] `)), ended])
      return /^y(es)?$/i.test(answer.trim())
    } finally {
      reader.close()
    }
  }
}

function paintFor({ stdout, env }: Streams): Paint {
  const wanted = stdout.isTTY && stdout.hasColors() && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
  return wanted ? (style, text) => styleText(style, text, { validateStream: false }) : (_style, text) => text
}

/** Values of a cache may be of kinds that JSON does not have. */
function plainJson(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Map || value instanceof Set) return [...value]
  return value
}
