/** What one frame shows. Rates are of the time since the frame before, and undefined in the first. */
export interface Snapshot {
  readonly server: string
  readonly uptimeSeconds: number | undefined
  readonly memory: MemoryState
  readonly clients: { readonly now: number | undefined; readonly most: number | undefined; readonly blocked: number | undefined }
  readonly traffic: Traffic | undefined
  /** Redis's own count of key look-ups: by all clients, those of scripts included. */
  readonly lookUps: LookUps
  /** By the time they keep the server busy. */
  readonly commands: readonly CommandLoad[]
  /** Undefined where the user may not listen. */
  readonly wakeUpsPerSecond: number | undefined
  readonly keyspace: { readonly keys: number; readonly scanned: number; readonly complete: boolean; readonly sampled: number }
  readonly resources: readonly ResourceLoad[]
}

export interface MemoryState {
  readonly usedBytes: number | undefined
  /** 0: no limit. */
  readonly limitBytes: number | undefined
  readonly policy: string | undefined
  readonly fragmentation: number | undefined
  readonly evictedPerSecond: number | undefined
  readonly expiredPerSecond: number | undefined
}

export interface Traffic {
  readonly commandsPerSecond: number
  readonly inBytesPerSecond: number
  readonly outBytesPerSecond: number
}

export interface LookUps {
  readonly perSecond: number | undefined
  /** The share of them that found a key, undefined when there were none. */
  readonly found: number | undefined
  readonly foundSinceStart: number | undefined
}

export interface CommandLoad {
  readonly name: string
  readonly perSecond: number
  /** The share of the time that the server spent in it. */
  readonly busy: number
  /** Since the server's start, in ms. */
  readonly p50Ms: number | undefined
  readonly p99Ms: number | undefined
}

/** The keys of one kind: those that share namespace and name. All but the wake-ups is of the keys that this frame looked at. */
export interface ResourceLoad {
  readonly owner: string
  readonly resource: string
  /** Scaled up to all keys, when not all were scanned. */
  readonly entries: number
  readonly freshShare: number | undefined
  readonly meanBytes: number | undefined
  /** How long the loads took that stored the sampled entries. */
  readonly loadP95Ms: number | undefined
  /** The mean of Redis's own access counters (0 to 255, logarithmic), under an LFU policy. */
  readonly heat: number | undefined
  /** Leases held. */
  readonly loading: number
  /** Of those, the ones that other processes wait for. */
  readonly waitedFor: number
  /** Loads that ended while other processes waited. */
  readonly wakeUpsPerSecond: number | undefined
}
