import type { Redis } from 'ioredis'

/** What the server has refused, but for `CLIENT SETINFO`, by which ioredis says who it is to Redis 7.2 and later. */
export async function refusalsOf(admin: Redis): Promise<string[]> {
  const entries = (await admin.call('ACL', 'LOG')) as string[][]
  return entries.map(entry => String(entry[entry.indexOf('object') + 1])).filter(refused => refused !== 'client|setinfo')
}
