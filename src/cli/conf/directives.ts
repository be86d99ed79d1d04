import { redisBytes } from '../quantities.ts'
import { aclRules } from '../doctor/rights.ts'
import type { ConfTarget } from './target.ts'

export interface Section {
  readonly title: string
  readonly entries: readonly Entry[]
}

/** A reason, and the lines that it is the reason for. */
export interface Entry {
  readonly why: string
  readonly lines: readonly string[]
}

/** Of what the machine (or the container) has. */
const memoryShare = { cache: 0.75, queue: 0.7 } as const
const mostIoThreads = 8

export function sectionsFor(target: ConfTarget): readonly Section[] {
  const sections = [
    network(target),
    memory(target),
    eviction(target),
    freeing(target),
    persistence(target),
    threads(target),
    clients(target),
    insight(target),
    access(target),
  ]
  return sections.filter(({ entries }) => entries.length > 0)
}

function entry(why: string, ...lines: string[]): Entry {
  return { why, lines }
}

function network({ tls }: ConfTarget): Section {
  const entries = [
    entry(
      'Nobody outside reaches it before you decide so: add the address of the network that your application is on. Protected mode refuses strangers as long as the default user has no password.',
      'bind 127.0.0.1 -::1',
      'protected-mode yes',
    ),
    tls
      ? entry(
          'Encrypted connections only; clients use rediss://. Plain ones are off.',
          'port 0',
          'tls-port 6379',
          'tls-cert-file /etc/redis/tls/redis.crt',
          'tls-key-file /etc/redis/tls/redis.key',
          'tls-ca-cert-file /etc/redis/tls/ca.crt',
          'tls-auth-clients optional',
          'tls-replication yes',
        )
      : entry('Plain TCP, for a network that is yours. Elsewhere: leasehold conf --tls.', 'port 6379'),
    entry(
      'Finds dead clients within two minutes, so that their connections do not count against maxclients. Leasehold looks at each connection once a second itself.',
      'tcp-keepalive 60',
    ),
    entry('Idle connections are not closed: Leasehold keeps its own for as long as it runs.', 'timeout 0'),
    entry(
      'Room for connections that arrive together, as after a deploy. The kernel caps it at net.core.somaxconn.',
      'tcp-backlog 511',
    ),
  ]
  return { title: 'Network', entries }
}

function memory({ role, memoryBytes, activeDefrag }: ConfTarget): Section {
  const percent = memoryShare[role] * 100
  const rest =
    role === 'cache'
      ? 'The rest is for fragmentation, client buffers and the kernel.'
      : 'The rest is for fragmentation, client buffers, the kernel, and the copies of pages that change while a child process writes the append-only file anew.'
  const entries = [
    entry(
      `${percent} % of the memory. ${rest} Beyond it the kernel kills what does not fit.`,
      `maxmemory ${redisBytes(memoryBytes * memoryShare[role])}`,
    ),
    entry(
      'All clients together may take a twentieth of that for their buffers; beyond it the greediest is disconnected, instead of entries being evicted for it.',
      'maxmemory-clients 5%',
    ),
  ]
  if (activeDefrag) {
    entries.push(
      entry(
        'Moves values together when a tenth is wasted and it is worth the effort, at 1 to 25 % of one core. Needs the jemalloc that Redis is shipped with; where the server refuses it at start (Debian and Ubuntu packages): leasehold conf --no-active-defrag.',
        'activedefrag yes',
        'active-defrag-ignore-bytes 100mb',
        'active-defrag-threshold-lower 10',
        'active-defrag-threshold-upper 50',
        'active-defrag-cycle-min 1',
        'active-defrag-cycle-max 25',
      ),
    )
  }
  return { title: 'Memory', entries }
}

function eviction({ role, eviction: by }: ConfTarget): Section {
  if (role === 'queue') {
    return {
      title: 'Eviction',
      entries: [
        entry(
          'A full queue refuses new jobs with an error. Anything else would lose waiting ones without a word.',
          'maxmemory-policy noeviction',
        ),
      ],
    }
  }
  const policy =
    by === 'lfu'
      ? entry(
          'What is asked for least goes first, so that one pass over many keys (a crawler, an export) does not push the hot ones out. Prefer allkeys-lru (leasehold conf --eviction lru) where popularity moves on within minutes: news, sessions, feeds.',
          'maxmemory-policy allkeys-lfu',
          'lfu-log-factor 10',
          'lfu-decay-time 1',
        )
      : entry(
          'What was not asked for longest goes first. Right where popularity moves on within minutes; where some keys stay hot for hours, allkeys-lfu keeps them better.',
          'maxmemory-policy allkeys-lru',
        )
  return {
    title: 'Eviction',
    entries: [
      policy,
      entry('Looks at 10 candidates for each eviction instead of 5: a better choice for a little CPU.', 'maxmemory-samples 10'),
    ],
  }
}

function freeing({ role }: ConfTarget): Section {
  const entries = [
    entry(
      'Memory is given back by a background thread. Freeing one big value in the main thread would hold up every other command.',
      'lazyfree-lazy-eviction yes',
      'lazyfree-lazy-expire yes',
      'lazyfree-lazy-server-del yes',
      'lazyfree-lazy-user-del yes',
      'lazyfree-lazy-user-flush yes',
      'replica-lazy-flush yes',
    ),
  ]
  if (role === 'cache')
    entries.push(entry('The pace of looking for expired keys follows the number of clients.', 'hz 10', 'dynamic-hz yes'))
  return { title: 'Freeing', entries }
}

function persistence({ role }: ConfTarget): Section {
  if (role === 'cache') {
    return {
      title: 'Persistence: off',
      entries: [
        entry(
          'What a cache holds can be loaded again. Snapshots would cost forks, twice the memory while they run, and stalls of the disk; old entries would come back after a restart.',
          'save ""',
          'appendonly no',
        ),
      ],
    }
  }
  return {
    title: 'Persistence: on',
    entries: [
      entry(
        'Every write is appended to a file that is flushed once a second: at most that second is lost when the machine stops, nothing when only Redis does.',
        'appendonly yes',
        'appendfsync everysec',
        'no-appendfsync-on-rewrite no',
      ),
      entry(
        'The file is written anew when it has doubled, with a snapshot at its head, which loads fast.',
        'auto-aof-rewrite-percentage 100',
        'auto-aof-rewrite-min-size 64mb',
        'aof-use-rdb-preamble yes',
      ),
      entry(
        'A cut last write, as after a power failure, is left out with a line in the log, and the server starts.',
        'aof-load-truncated yes',
      ),
      entry(
        'Snapshots as well: to copy away as backups. When they fail, writes are refused, so that it is noticed.',
        'save 3600 1 300 100 60 10000',
        'stop-writes-on-bgsave-error yes',
      ),
      entry('On SIGTERM a last snapshot is written.', 'shutdown-on-sigterm save'),
    ],
  }
}

function threads({ cores, server }: ConfTarget): Section {
  const count = ioThreads(cores)
  if (count === 1) {
    return {
      title: 'Threads',
      entries: [
        entry(
          `With ${cores === 1 ? 'one core' : `${cores} cores`} the main thread does it all; what is left is for background work and the kernel.`,
          'io-threads 1',
        ),
      ],
    }
  }
  const lines = [`io-threads ${count}`]
  // From Redis 8 and Valkey 8 on they always do.
  if (server.major < 8) lines.push('io-threads-do-reads yes')
  return {
    title: 'Threads',
    entries: [
      entry(
        `Sockets are read and written by ${count} threads on ${cores} cores; commands are still run by one. Worth it for many clients and big values.`,
        ...lines,
      ),
    ],
  }
}

/** Some cores are left to the main thread's background work, the kernel and others. */
function ioThreads(cores: number): number {
  if (cores < 4) return 1
  return Math.min(mostIoThreads, cores < 8 ? cores - 2 : Math.floor(cores * 0.75))
}

function clients({ role }: ConfTarget): Section {
  const entries = [
    entry(
      'Leasehold takes three connections per process. Redis lowers this by itself, with a line in the log, when it may not open that many files (ulimit -n).',
      'maxclients 10000',
    ),
    entry(
      'A client that does not fetch its replies is disconnected before it takes the memory of everyone else: at 64 MiB, or 32 MiB for half a minute.',
      'client-output-buffer-limit normal 64mb 32mb 30',
    ),
    entry('Replicas may fall behind further before they have to start over.', 'client-output-buffer-limit replica 256mb 64mb 60'),
    entry(
      'Wake-ups are small: who has 8 MiB of them waiting for a minute does not listen.',
      'client-output-buffer-limit pubsub 32mb 8mb 60',
    ),
  ]
  if (role === 'queue')
    entries.push(
      entry(
        'Writes are refused while no replica is in reach, if you have one. Uncomment with the first replica.',
        '# min-replicas-to-write 1',
        '# min-replicas-max-lag 10',
      ),
    )
  return { title: 'Clients', entries }
}

function insight(_target: ConfTarget): Section {
  return {
    title: 'Insight',
    entries: [
      entry('Commands that take 10 ms or more are kept for SLOWLOG GET.', 'slowlog-log-slower-than 10000', 'slowlog-max-len 256'),
      entry(
        'Stalls of 100 ms or more are kept for LATENCY DOCTOR, and percentiles per command for INFO latencystats.',
        'latency-monitor-threshold 100',
        'latency-tracking yes',
      ),
    ],
  }
}

function access({ namespace }: ConfTarget): Section {
  return {
    title: 'Access',
    entries: [
      entry(
        'A user for the application that may do what Leasehold does and nothing else; the default user is switched off. Put a password of your own (ACL GENPASS) in place of CHANGE-ME, then uncomment both. Behind a key prefix put it in front of both patterns.',
        '# user default off',
        `# user ${namespace} on >CHANGE-ME ${aclRules('', namespace)}`,
      ),
    ],
  }
}
