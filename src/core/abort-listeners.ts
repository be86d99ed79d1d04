interface Shared {
  readonly listeners: Set<() => void>
  readonly tellAll: () => void
}

const sharedBySignal = new WeakMap<AbortSignal, Shared>()

/**
 * Calls `listener` when the caller's signal aborts. However many of his calls share the signal, it has one listener of ours at most: Node warns of
 * a leak from eleven on.
 *
 * @returns What ends it.
 */
export function listenForAbort(signal: AbortSignal, listener: () => void): () => void {
  const shared = sharedBySignal.get(signal) ?? share(signal)
  shared.listeners.add(listener)
  return () => {
    if (!shared.listeners.delete(listener) || shared.listeners.size > 0 || sharedBySignal.get(signal) !== shared) return
    sharedBySignal.delete(signal)
    signal.removeEventListener('abort', shared.tellAll)
  }
}

function share(signal: AbortSignal): Shared {
  const listeners = new Set<() => void>()
  const tellAll = (): void => {
    sharedBySignal.delete(signal)
    for (const listener of listeners) listener()
  }
  const shared = { listeners, tellAll }
  sharedBySignal.set(signal, shared)
  signal.addEventListener('abort', tellAll, { once: true })
  return shared
}
