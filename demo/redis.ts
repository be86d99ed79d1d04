import { basename } from 'node:path'
import { findRedis } from '../scripts/find-redis.ts'
import { startRedis } from '../scripts/start-redis.ts'

export interface DemoRedis {
  readonly url: string
  /** For the viewer, without credentials. */
  readonly label: string
  close(): Promise<void>
}

/** `REDIS_URL`, else a server of our own. @throws Error with one line that says what to install. */
export async function openRedis(say: (line: string) => void): Promise<DemoRedis> {
  const found = await findRedis({ say })
  switch (found.kind) {
    case 'none':
      throw new Error(found.advice)
    case 'url':
      return { url: found.url, label: `the server at ${new URL(found.url).host}`, close: async () => {} }
    case 'program': {
      const server = await startRedis({ program: found.path })
      return {
        url: server.url,
        label: `${basename(found.path)} ${found.version}, started for this demo`,
        close: () => server.stop(),
      }
    }
  }
}
