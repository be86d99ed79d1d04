import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { rowLength, writeRow } from './history.ts'
import type { Operation } from './operation.ts'

const rowsPerWrite = 256
const writeEveryMs = 100

/** Writes what one process does to files, so that it is known after the process was killed. The parent reads and removes them. */
export class Recorder {
  readonly #folder: string
  readonly #process: number
  readonly #rows: Float64Array = new Float64Array(rowsPerWrite * rowLength)
  readonly #timer: NodeJS.Timeout
  #filled = 0
  #part = 0
  #file: number

  constructor(folder: string, process: number) {
    this.#folder = folder
    this.#process = process
    this.#file = this.#open()
    this.#timer = setInterval(() => this.#write(), writeEveryMs)
    this.#timer.unref()
  }

  add(operation: Operation): void {
    writeRow(this.#rows, this.#filled * rowLength, operation)
    if (++this.#filled === rowsPerWrite) this.#write()
  }

  /** Ends the file; what comes next goes to another. */
  endPart(): void {
    this.#write()
    closeSync(this.#file)
    this.#part++
    this.#file = this.#open()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#write()
    closeSync(this.#file)
  }

  #open(): number {
    return openSync(join(this.#folder, `${this.#process}-${this.#part}.rows`), 'wx')
  }

  #write(): void {
    if (this.#filled === 0) return
    writeSync(this.#file, this.#rows, 0, this.#filled * rowLength * Float64Array.BYTES_PER_ELEMENT)
    this.#filled = 0
  }
}
