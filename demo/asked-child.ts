import type { ChildProcess } from 'node:child_process'
import { forkTypeScript, stopChild } from './child-process.ts'

interface Said {
  readonly kind: string
}

/** A child process: a question at a time, ticks in between, and an end that nobody asked for fails the question. */
export class AskedChild<Question extends object, Answer extends Said> {
  readonly #child: ChildProcess

  constructor(file: URL, nodeFlags: readonly string[] = []) {
    this.#child = forkTypeScript(file, nodeFlags)
  }

  /** Resolves with the answer that is no tick. @throws Error when the child says `failed`, or ends. */
  ask(question: Question, onTick?: (tick: Answer) => void): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#child.off('message', onMessage)
        this.#child.off('exit', onExit)
      }
      const onMessage = (message: Answer): void => {
        if (message.kind === 'tick') return onTick?.(message)
        settle()
        if (message.kind === 'failed') reject(new Error(`a child process failed: ${reasonOf(message)}`))
        else resolve(message)
      }
      const onExit = (code: number | null, signal: string | null): void => {
        settle()
        reject(new Error(`a child process ended (${signal ?? code})`))
      }
      this.#child.on('message', onMessage)
      this.#child.on('exit', onExit)
      this.#child.send(question, error => {
        if (error === null) return
        settle()
        reject(error)
      })
    })
  }

  /** Says something that has no answer. */
  tell(message: Question): void {
    this.#child.send(message, () => {})
  }

  stop(): Promise<void> {
    return stopChild(this.#child)
  }
}

function reasonOf(message: Said): string {
  return 'message' in message ? String(message.message) : 'no reason given'
}
