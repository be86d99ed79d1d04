import type { ClusterOptions, RedisOptions } from 'ioredis'

/** Leasehold's own settings, whatever the caller's client has. */
export const connectionSettings: RedisOptions = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  // Rejects what is in flight as soon as the socket is lost.
  maxRetriesPerRequest: 0,
  enableAutoPipelining: false,
  commandTimeout: undefined,
  socketTimeout: undefined,
  blockingTimeout: undefined,
  reconnectOnError: null,
  // We ask more than ioredis would; only Sentinel's connector depends on its question.
  enableReadyCheck: false,
  maxLoadingRetryTime: 100,
  connectTimeout: 3_000,
  // The client's timer for a socket to end outlives sockets that have long been closed, and would keep the process.
  disconnectTimeout: 0,
  keepAlive: 5_000,
  noDelay: true,
  keyPrefix: '',
  readOnly: false,
  monitor: false,
  stringNumbers: false,
  protocol: 2,
  replyMapping: 'legacy',
  scripts: undefined,
  himportFieldsets: undefined,
}

/** For the cluster client that only learns who has which slot. */
export const topologySettings: ClusterOptions = {
  lazyConnect: true,
  enableOfflineQueue: false,
  enableReadyCheck: true,
  scaleReads: 'master',
  retryDelayOnFailover: 0,
  retryDelayOnClusterDown: 0,
  retryDelayOnMoved: 0,
  slotsRefreshTimeout: 1_000,
  enableAutoPipelining: false,
  shardedSubscribers: false,
  keyPrefix: '',
  scripts: undefined,
  himportFieldsets: undefined,
}

export const topologyNodeSettings: Readonly<{
  keyPrefix: ''
  disconnectTimeout: 0
  protocol: 2
  replyMapping: 'legacy'
}> = {
  keyPrefix: '',
  disconnectTimeout: 0,
  protocol: 2,
  replyMapping: 'legacy',
}
