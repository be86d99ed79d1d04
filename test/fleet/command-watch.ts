import { randomUUID } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { Redis } from 'ioredis'
import * as scripts from '../../src/redis/scripts.gen.ts'
import { until } from './until.ts'

const scriptNames = new Map<string, string>(Object.values(scripts).map(({ sha1, name }) => [sha1, name]))

/** Counts what a namespace's clients send to Redis, by command or by the script's name. What scripts do inside is not counted. */
export class CommandWatch implements AsyncDisposable {
  readonly #client: Redis
  readonly #monitor: Socket
  readonly #namespace: string
  #counts: Record<string, number> = {}
  #marks = new Set<string>()

  private constructor(client: Redis, monitor: Socket, namespace: string) {
    this.#client = client
    this.#monitor = monitor
    this.#namespace = namespace
    createInterface({ input: monitor }).on('line', line => this.#see(line))
  }

  static async start(redisUrl: string, namespace: string): Promise<CommandWatch> {
    const { hostname, port, username, password } = new URL(redisUrl)
    // A plain socket: ioredis's monitor takes commands of others for the reply to its own.
    const monitor = connect(Number(port || 6379), hostname)
    monitor.on('error', () => {})
    const watch = new CommandWatch(new Redis(redisUrl), monitor, namespace)
    if (password !== '') monitor.write(`AUTH ${username || 'default'} ${password}\r\n`)
    monitor.write('MONITOR\r\n')
    await until(() => watch.#listening(), 'the monitor to listen')
    return watch
  }

  /** The counts since the last time, all that Redis has executed by now included. */
  async take(): Promise<Readonly<Record<string, number>>> {
    const mark = randomUUID()
    await this.#client.call('ECHO', mark)
    await until(() => this.#marks.delete(mark), 'the monitor to catch up')
    const taken = this.#counts
    this.#counts = {}
    return taken
  }

  /** Resolves when the command has been executed since `take`, and leaves it to be taken. */
  async untilSeen(name: string, times: number = 1): Promise<void> {
    await until(() => (this.#counts[name] ?? 0) >= times, `${times} × ${name}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#monitor.destroy()
    this.#client.disconnect()
  }

  async #listening(): Promise<boolean> {
    const mark = randomUUID()
    await this.#client.call('ECHO', mark)
    await new Promise(resolve => setTimeout(resolve, 2))
    return this.#marks.delete(mark)
  }

  /** A line is `+1700000000.123456 [0 127.0.0.1:5000] "command" "argument" …`; inside a script the address is `lua`. */
  #see(line: string): void {
    const [, source, rest] = /^\+[\d.]+ \[\d+ ([^\]]*(?:\]:\d+)?)\] (.*)$/.exec(line) ?? []
    if (source === undefined || source === 'lua' || rest === undefined) return
    const [command = '', ...args] = [...rest.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(match => match[1] ?? '')
    const name = command.toLowerCase()
    if (name === 'echo') this.#marks.add(args[0] ?? '')
    if (!args.some(arg => arg.startsWith(`${this.#namespace}:`))) return
    const counted = name === 'evalsha' || name === 'eval' ? scriptName(args[0] ?? '') : name
    this.#counts[counted] = (this.#counts[counted] ?? 0) + 1
  }
}

/** `eval` carries the text in place of the hash. The monitor escapes it the way JSON does. */
function scriptName(script: string): string {
  const known = scriptNames.get(script)
  if (known !== undefined) return known
  return (
    Object.values(scripts).find(({ source }) => script.startsWith(JSON.stringify(source).slice(1, 40)))?.name ?? 'unknown script'
  )
}
