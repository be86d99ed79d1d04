import type { Change, ChangeListeners } from '../core/ports.ts'

type Untold<Kind> = Kind extends { readonly sequence: number } ? Omit<Kind, 'sequence'> : never
/** A change that has no number yet. */
export type UnnumberedChange = Untold<Exclude<Change, { kind: 'pulse' }>>

/** Numbers the changes of each namespace and tells them to those who keep copies, in order. */
export class ChangeBoard {
  readonly #namespaces = new Map<string, { sequence: number; readonly listeners: Set<ChangeListeners> }>()

  /** @returns what ends it */
  watch(namespace: string, listeners: ChangeListeners): () => void {
    const board = this.#namespaces.get(namespace) ?? { sequence: 0, listeners: new Set() }
    this.#namespaces.set(namespace, board)
    board.listeners.add(listeners)
    queueMicrotask(() => {
      if (board.listeners.has(listeners)) listeners.onLive(true)
    })
    return () => {
      board.listeners.delete(listeners)
      if (board.listeners.size === 0 && this.#namespaces.get(namespace) === board) this.#namespaces.delete(namespace)
    }
  }

  announce(namespace: string, change: UnnumberedChange): void {
    const board = this.#namespaces.get(namespace)
    if (board !== undefined) this.#tell(board.listeners, { ...change, sequence: ++board.sequence })
  }

  pulse(namespace: string, sentAt: number): void {
    const board = this.#namespaces.get(namespace)
    if (board !== undefined) this.#tell(board.listeners, { kind: 'pulse', sequence: board.sequence, sentAt })
  }

  #tell(listeners: ReadonlySet<ChangeListeners>, change: Change): void {
    for (const each of listeners) {
      queueMicrotask(() => {
        if (listeners.has(each)) each.onChange(change)
      })
    }
  }
}
