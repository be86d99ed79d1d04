import { isRecord } from '../core/tags/namespace-record.ts'
import type { RecordAlong } from './read-batch.ts'

/** The newest namespace record that has come along with a read. Commands may be answered in another order than they were sent in. */
export class NamespaceRecord implements RecordAlong {
  readonly key: string
  #bytes: Buffer | null = null
  #asked = 0
  #answered = 0

  constructor(key: string) {
    this.key = key
  }

  get bytes(): Buffer | null {
    return this.#bytes
  }

  ask(): number {
    return ++this.#asked
  }

  take(asked: number, bytes: Buffer | null): void {
    if (asked < this.#answered) return
    this.#answered = asked
    this.#bytes = isRecord(bytes) ? bytes : null
  }
}
