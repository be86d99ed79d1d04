/** A library as it is measured: one way of using it, with its configuration. */
export interface Peer {
  readonly title: string
  /** Whose version is shown. */
  readonly package: string
  /** The configuration, for the reader of the figures. */
  readonly configuration: string
  /** Hits need not reach Redis. */
  readonly localTier: boolean
  open(settings: PeerSettings): PeerCache | Promise<PeerCache>
}

export interface PeerSettings {
  readonly redisUrl: string
  /** Goes before every key and channel. */
  readonly prefix: string
  readonly ttlMs: number
  readonly load: (id: string) => Promise<unknown>
}

export interface PeerCache {
  /** From the cache, else loaded and stored. */
  read(id: string): Promise<unknown>
  /** Acknowledged when it resolves. */
  remove(id: string): Promise<unknown>
  close(): Promise<unknown>
}

/** Every library's client is told to keep connection errors to itself; what calls do with them is measured. */
export function quietly<Client extends { on(event: 'error', listener: () => void): unknown }>(client: Client): Client {
  client.on('error', () => {})
  return client
}
