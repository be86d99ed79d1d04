import { isLeaseholdError } from '../../src/index.ts'

/** Who did what, when. Written only when somebody is going to read it. */
export class Timeline {
  readonly lines: string[] = []

  add(at: number, who: string, text: string): void {
    this.lines.push(`${at.toFixed(2).padStart(9)}  ${who.padEnd(6)} ${text}`)
  }
}

/** Values, options and replies on one line. */
export function show(value: unknown): string {
  if (value === undefined) return 'undefined'
  if (value instanceof Error) return `${value.name}(${isLeaseholdError(value) ? value.code : value.message})`
  return JSON.stringify(value, (_name, inner: unknown) => {
    if (isBuffer(inner)) return inner.data.length === 16 ? shortToken(inner.data) : `${inner.data.length} bytes`
    if (typeof inner === 'string' && inner.length > 60) return `${inner.slice(0, 20)}…`
    return inner
  })
}

interface BufferRecord {
  readonly type: 'Buffer'
  readonly data: readonly number[]
}

function isBuffer(value: unknown): value is BufferRecord {
  return typeof value === 'object' && value !== null && (value as { type?: unknown }).type === 'Buffer'
}

function shortToken(bytes: readonly number[]): string {
  return `#${bytes
    .slice(0, 3)
    .map(byte => byte.toString(16).padStart(2, '0'))
    .join('')}`
}
