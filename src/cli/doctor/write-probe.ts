import { randomBytes } from 'node:crypto'
import { isLeaseholdError } from '../../index.ts'
import { replyCode } from '../../redis/failures.ts'
import { Keys } from '../../redis/keys.ts'
import type { Deployment } from '../deployment.ts'
import { silence, throughCache } from '../through-cache.ts'
import type { WriteProbe } from './facts.ts'

const ownNamespace = 'leasehold-doctor'
const maxKeyBytes = 512
/** What PTTL says of a key that is not there. */
const gone = -2

/** Does what an application does, with a key of its own, and takes away what it made for that. */
export async function probe(deployment: Deployment, namespace: string | undefined): Promise<WriteProbe> {
  const owner = namespace ?? ownNamespace
  const keys = new Keys(owner, deployment.keyPrefix, deployment.database, maxKeyBytes)
  const lasting = [keys.record, keys.tagTable, keys.counter]
  const made = namespace === undefined ? lasting : await absentOf(deployment, keys, lasting)
  const outcome = await writeReadDelete(deployment, owner)
  const left = await remove(deployment, keys, made)
  if (outcome.outcome === 'works') return { ...outcome, left }
  const refused = /no permission for the (key|channel)/.test(outcome.reason) && namespace === undefined
  return refused ? { ...outcome, fix: `say whose keys the user may write: ${await namespacesOf(deployment)}` } : outcome
}

async function writeReadDelete(deployment: Deployment, namespace: string): Promise<WriteProbe> {
  const key = `${ownNamespace}:${randomBytes(8).toString('hex')}`
  try {
    const { result, reason } = await throughCache(deployment, namespace, async cache => {
      await cache.set(key, key, { ttl: '1m' })
      return { read: await cache.get(key), deleted: await cache.delete(key) }
    })
    if (result.deleted === 'deferred') return { outcome: 'failed', reason: reason ?? silence }
    if (result.read !== key) return { outcome: 'failed', reason: reason ?? 'what was written could not be read' }
    return { outcome: 'works', left: [] }
  } catch (error) {
    if (!isLeaseholdError(error)) throw error
    return { outcome: 'failed', reason: error.message }
  }
}

/** Those that a cache of the namespace has not made before. */
async function absentOf(deployment: Deployment, keys: Keys, names: readonly string[]): Promise<string[]> {
  const kept = await Promise.all(
    names.map(name =>
      unlessRefused(
        deployment.ask(keys.namespaceSlot, redis => redis.pttl(name)),
        0,
      ),
    ),
  )
  return names.filter((_, at) => kept[at] === gone)
}

/** @returns those that could not be removed */
async function remove(deployment: Deployment, keys: Keys, names: readonly string[]): Promise<readonly string[]> {
  if (names.length === 0) return []
  const removed = await unlessRefused(
    deployment.ask(keys.namespaceSlot, redis => redis.unlink(...names)),
    undefined,
  )
  return removed === undefined ? names : []
}

async function unlessRefused<T, Else>(answer: Promise<T>, otherwise: Else): Promise<T | Else> {
  try {
    return await answer
  } catch (error) {
    if (replyCode(error) === '') throw error
    return otherwise
  }
}

/** The option that names a namespace of the user, as far as its rules tell. */
async function namespacesOf({ node, keyPrefix }: Deployment): Promise<string> {
  const user = await unlessRefused(node.call('ACL', 'WHOAMI'), undefined)
  const rules = typeof user === 'string' ? await unlessRefused(node.call('ACL', 'GETUSER', user), undefined) : undefined
  const fields = Array.isArray(rules) ? rules : []
  const patterns: unknown = fields[fields.indexOf('keys') + 1]
  const found = (Array.isArray(patterns) ? patterns.join(' ') : String(patterns)).split(' ').flatMap(pattern => {
    const owner = /^(?:~|%RW~)(.*):\*$/.exec(pattern)?.[1]
    const name = owner?.startsWith(keyPrefix) === true ? owner.slice(keyPrefix.length) : ''
    return /^[A-Za-z0-9_.-]+$/.test(name) ? [`--namespace ${name}`] : []
  })
  return found.length === 0 ? '--namespace <name>' : found.join(' or ')
}
