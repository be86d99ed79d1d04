import { formatBytes } from '../quantities.ts'
import { renderConf } from './render-conf.ts'
import type { ConfTarget, Role } from './target.ts'

/** The instances that `ops/redis` is for. */
export const shipped: Readonly<Record<Role, ConfTarget>> = {
  cache: shippedTarget('cache', 4 * 1024 ** 3, 4),
  queue: shippedTarget('queue', 2 * 1024 ** 3, 2),
}

function shippedTarget(role: Role, memoryBytes: number, cores: number): ConfTarget {
  const server = { kind: 'redis', major: 7, minor: 2 } as const
  return { role, memoryBytes, cores, server, eviction: 'lfu', activeDefrag: true, tls: false, namespace: 'app' }
}

/** Name and text of each file of `ops/redis`. */
export function shippedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['cache.conf', renderConf(shipped.cache)],
    ['queue.conf', renderConf(shipped.queue)],
    ['docker-compose.yml', renderCompose()],
  ])
}

/** Both instances as containers, each with the memory and cores that its file is made for. */
function renderCompose(): string {
  const { cache, queue } = shipped
  const image = `redis:${cache.server.major}.${cache.server.minor}`
  return `# A cache and a durable queue, each on an instance of its own: they want opposite settings.
#   docker compose -f ops/redis/docker-compose.yml up -d
#   npx leasehold doctor redis://127.0.0.1:6379 --role cache
#   npx leasehold doctor redis://127.0.0.1:6380 --role queue
services:
${[service(cache, image, 6379), service(queue, image, 6380)].join('\n')}
volumes:
  queue-data:
`
}

function service({ role, memoryBytes, cores }: ConfTarget, image: string, port: number): string {
  const data =
    role === 'queue' ? '\n      # The append-only file and the snapshots outlive the container.\n      - queue-data:/data' : ''
  return `  ${role}:
    # The official image has the allocator that active defragmentation needs.
    image: ${image}
    # Inside the container it listens on every address; which of them reach it, "ports" and the network of this file decide.
    command: ['redis-server', '/etc/redis/${role}.conf', '--bind', '* -::*', '--protected-mode', 'no']
    volumes:
      - ./${role}.conf:/etc/redis/${role}.conf:ro${data}
    # This machine only. Set a user and a password (see "Access" in the file) before you open it further.
    ports: ['127.0.0.1:${port}:6379']
    # What maxmemory and io-threads in the file are made for: ${formatBytes(memoryBytes)}, ${cores} cores.
    mem_limit: ${memoryBytes / 1024 ** 2}m
    cpus: ${cores}
    # The queue of new connections (tcp-backlog), and files for maxclients.
    sysctls: { net.core.somaxconn: 511 }
    ulimits: { nofile: 10032 }
    # Time to write what there is before it is killed.
    stop_grace_period: ${role === 'queue' ? '60s' : '10s'}
    restart: unless-stopped
    healthcheck:
      test: ['CMD', 'redis-cli', 'ping']
      interval: 10s
      timeout: 3s
      retries: 3
`
}
