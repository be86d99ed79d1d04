import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { until } from './until.ts'

// The child takes the shell's place. Behind it a reader waits for our end of the pipe to close, which it does however we die: a paused child
// would not notice by itself. The channel (descriptor 3) is the child's alone.
const keeper = 'exec 4<&0; (read -r _ <&4; kill -KILL $$) 3<&- >/dev/null 2>&1 & exec 4<&-; exec "$@" </dev/null'
const loader = import.meta.resolve('tsx')

/** What a child may be asked by name, with what, and what it answers. */
export type CommandTable<Table> = { readonly [Name in keyof Table]: { readonly request: unknown; readonly reply: unknown } }

export interface ToChild {
  readonly id: number
  readonly command: string
  readonly request: unknown
}

export type FromChild<Notice> =
  | { readonly kind: 'ready' }
  | { readonly kind: 'reply'; readonly id: number; readonly reply?: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
  | { readonly kind: 'notice'; readonly notice: Notice }

export interface ChildOptions<Notice> {
  readonly name: string
  /** The TypeScript file that it runs, which calls `serve`. */
  readonly script: string
  /** Options of node. */
  readonly flags?: readonly string[]
  readonly onNotice?: (notice: Notice) => void
}

interface Pending {
  readonly resolve: (reply: unknown) => void
  readonly reject: (error: Error) => void
}

/** A child process that answers commands. It ends when it is killed, and also when this process ends, however it dies. */
export class Child<Commands extends CommandTable<Commands>, Notice = never> {
  readonly name: string
  readonly #child: ChildProcess
  readonly #pending = new Map<number, Pending>()
  readonly #onNotice: (notice: Notice) => void
  #ready: () => void = () => {}
  #lastId = 0

  private constructor({ name, script, flags = [], onNotice = () => {} }: ChildOptions<Notice>) {
    this.name = name
    this.#onNotice = onNotice
    this.#child = spawn('/bin/sh', ['-c', keeper, 'sh', process.execPath, ...flags, '--import', loader, script], {
      stdio: ['pipe', 'inherit', 'inherit', 'ipc'],
    })
    this.#child.on('message', (message: FromChild<Notice>) => this.#hear(message))
    this.#child.once('exit', () => this.#gone())
  }

  /** Resolves when it is ready to be asked. */
  static async start<Commands extends CommandTable<Commands>, Notice = never>(
    options: ChildOptions<Notice>,
  ): Promise<Child<Commands, Notice>> {
    const child = new Child<Commands, Notice>(options)
    const exited = once(child.#child, 'exit').then(() => Promise.reject(new Error(`${options.name} did not start`)))
    exited.catch(() => {})
    await Promise.race([new Promise<void>(resolve => (child.#ready = resolve)), exited])
    return child
  }

  get pid(): number {
    return this.#child.pid as number
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Rejects when the child ends before it answers. */
  ask<Name extends keyof Commands & string>(command: Name, request: Commands[Name]['request']): Promise<Commands[Name]['reply']> {
    const id = ++this.#lastId
    return new Promise<Commands[Name]['reply']>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      this.#child.send({ id, command, request } satisfies ToChild, error => {
        if (error !== null) this.#settle(id)?.reject(error)
      })
    })
  }

  /** SIGSTOP. Resolves when the system says that it stands still. */
  async pause(): Promise<void> {
    process.kill(this.pid, 'SIGSTOP')
    await until(async () => (await this.#state()) === 'T', `${this.name} to stand still`)
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT')
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    if (!this.alive) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  #hear(message: FromChild<Notice>): void {
    switch (message.kind) {
      case 'ready':
        return this.#ready()
      case 'reply':
        return this.#settle(message.id)?.resolve(message.reply)
      case 'failed':
        return this.#settle(message.id)?.reject(new Error(`${this.name}: ${message.message}`))
      case 'notice':
        return this.#onNotice(message.notice)
    }
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    return pending
  }

  #gone(): void {
    for (const id of this.#pending.keys()) this.#settle(id)?.reject(new Error(`${this.name} ended`))
  }

  /** The state letter of `/proc`; where there is none a paused process is taken at its word. */
  async #state(): Promise<string> {
    const stat = await readFile(`/proc/${this.pid}/stat`, 'utf8').catch(() => ') T')
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3)
  }
}
