import type { KeySample } from './facts.ts'

export interface NamespaceShare {
  readonly namespace: string
  readonly keys: number
  /** Undefined where no size could be read. */
  readonly bytes: number | undefined
}

/** The namespaces of a sample, largest first; counts and sizes are scaled up to the whole database. */
export function byNamespace({ keys, total, complete }: KeySample): NamespaceShare[] {
  const scale = complete || keys.length === 0 ? 1 : total / keys.length
  const found = new Map<string, { keys: number; bytes: number | undefined }>()
  for (const { stored, bytes } of keys) {
    const namespace = stored?.owner ?? '(outside any namespace)'
    const sum = found.get(namespace) ?? { keys: 0, bytes: undefined }
    found.set(namespace, { keys: sum.keys + 1, bytes: bytes === undefined ? sum.bytes : (sum.bytes ?? 0) + bytes })
  }
  const scaled = [...found].map(([namespace, sum]) => ({
    namespace,
    keys: Math.round(sum.keys * scale),
    bytes: sum.bytes === undefined ? undefined : Math.round(sum.bytes * scale),
  }))
  return scaled.toSorted((a, b) => (b.bytes ?? b.keys) - (a.bytes ?? a.keys))
}
