import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { CommandName, Commands, FromMember, LoadNotice } from './messages.ts'
import { until } from './until.ts'

// The worker takes the shell's place. Behind it a reader waits for our end of the pipe to close, which it does however we die: a paused worker
// would not notice by itself. The channel (descriptor 3) is the worker's alone.
const keeper = 'exec 4<&0; (read -r _ <&4; kill -KILL $$) 3<&- >/dev/null 2>&1 & exec 4<&-; exec "$@" </dev/null'
const worker = fileURLToPath(new URL('worker.ts', import.meta.url))
const loader = import.meta.resolve('tsx')

interface Pending {
  readonly resolve: (reply: unknown) => void
  readonly reject: (error: Error) => void
}

/** One process of a fleet, as its parent sees it. */
export class Member {
  readonly index: number
  readonly #child: ChildProcess
  readonly #pending = new Map<number, Pending>()
  readonly #onLoad: (member: Member, notice: LoadNotice) => void
  #ready: () => void = () => {}
  #lastId = 0

  private constructor(index: number, onLoad: (member: Member, notice: LoadNotice) => void) {
    this.index = index
    this.#onLoad = onLoad
    this.#child = spawn('/bin/sh', ['-c', keeper, 'sh', process.execPath, '--import', loader, worker], {
      stdio: ['pipe', 'inherit', 'inherit', 'ipc'],
    })
    this.#child.on('message', (message: FromMember) => this.#hear(message))
    this.#child.once('exit', () => this.#gone())
  }

  static async start(index: number, onLoad: (member: Member, notice: LoadNotice) => void): Promise<Member> {
    const member = new Member(index, onLoad)
    const exited = once(member.#child, 'exit').then(() => Promise.reject(new Error(`member ${index} did not start`)))
    exited.catch(() => {})
    await Promise.race([new Promise<void>(resolve => (member.#ready = resolve)), exited])
    return member
  }

  get pid(): number {
    return this.#child.pid as number
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Rejects when the member ends before it answers. */
  ask<Name extends CommandName>(command: Name, request: Commands[Name]['request']): Promise<Commands[Name]['reply']> {
    const id = ++this.#lastId
    return new Promise<Commands[Name]['reply']>((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as (reply: unknown) => void, reject })
      this.#child.send({ id, command, request }, error => {
        if (error !== null) this.#settle(id)?.reject(error)
      })
    })
  }

  /** SIGSTOP. Resolves when the system says that it stands still. */
  async pause(): Promise<void> {
    process.kill(this.pid, 'SIGSTOP')
    await until(async () => (await this.#state()) === 'T', `member ${this.index} to stand still`)
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

  #hear(message: FromMember): void {
    switch (message.kind) {
      case 'ready':
        return this.#ready()
      case 'reply':
        return this.#settle(message.id)?.resolve(message.reply)
      case 'failed':
        return this.#settle(message.id)?.reject(new Error(`member ${this.index}: ${message.message}`))
      default:
        return this.#onLoad(this, message)
    }
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    return pending
  }

  #gone(): void {
    for (const id of this.#pending.keys()) this.#settle(id)?.reject(new Error(`member ${this.index} ended`))
  }

  /** The state letter of `/proc`; where there is none a paused process is taken at its word. */
  async #state(): Promise<string> {
    const stat = await readFile(`/proc/${this.pid}/stat`, 'utf8').catch(() => ') T')
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3)
  }
}
