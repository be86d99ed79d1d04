import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import type { TestProject } from 'vitest/node'
import { startRedis } from './redis-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The server that all test files share: never flush, pause or reconfigure it. */
    redisUrl: string
  }
}

/** Run once per test project: `REDIS_URL`, else a server of our own. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const url = process.env['REDIS_URL']
  if (url !== undefined && url !== '') {
    project.provide('redisUrl', url)
    return undefined
  }
  const server = await startRedis()
  project.provide('redisUrl', server.url)
  return () => server.stop()
}

/** The shared server's URL, inside tests. */
export function sharedRedisUrl(): string {
  return inject('redisUrl')
}

/** A namespace that nobody else uses on a shared server. */
export function ownNamespace(): string {
  return `test-${randomBytes(6).toString('hex')}`
}
