import { formatShare } from '../../quantities.ts'
import type { Facts } from '../facts.ts'
import { type Check, type Finding, info, ok, problem, set, unreadable, warning } from '../finding.ts'

function eviction({ role, info: server, sample }: Facts): Finding {
  const policy = server.text('maxmemory_policy')
  if (policy === undefined) return unreadable('maxmemory-policy')
  const finding = `maxmemory-policy is ${policy}`
  if (role === 'queue') {
    if (policy === 'noeviction') return ok(finding)
    const why = 'a queue that may evict loses jobs when memory runs short, without a word'
    return problem(finding, why, set('maxmemory-policy', 'noeviction'))
  }
  switch (policy) {
    case 'allkeys-lfu':
    case 'allkeys-lru':
    case 'allkeys-lrm':
      return ok(finding)
    case 'noeviction':
      return problem(finding, 'a full cache refuses every new value', set('maxmemory-policy', 'allkeys-lfu'))
    case 'allkeys-random':
      return warning(finding, 'hot keys are evicted as often as cold ones', set('maxmemory-policy', 'allkeys-lfu'))
  }
  const forever = sample?.keys.filter(key => key.ttlMs === -1).length ?? 0
  if (forever === 0) return info(`${finding}; every sampled key has a lifetime, so it works like an allkeys policy`)
  const share = formatShare(forever / (sample?.keys.length ?? 1))
  const why = 'only keys with a lifetime are evicted: the others fill the memory until writes are refused'
  return problem(`${finding}, but ${share} of the sampled keys never expire`, why, set('maxmemory-policy', 'allkeys-lfu'))
}

function persistence(facts: Facts): Finding {
  const appendOnly = facts.config?.get('appendonly') ?? (facts.info.number('aof_enabled') === 1 ? 'yes' : 'no')
  const save = facts.config?.get('save')
  if (facts.config === undefined && facts.info.number('aof_enabled') === undefined) return unreadable('persistence')
  return facts.role === 'cache' ? ofCache(appendOnly, save) : ofQueue(facts, appendOnly)
}

function ofCache(appendOnly: string, save: string | undefined): Finding {
  const on = [appendOnly === 'yes' ? 'appendonly' : '', save !== undefined && save !== '' ? 'save' : ''].filter(Boolean)
  if (on.length === 0) return ok(save === undefined ? 'no append-only file' : 'nothing is written to disk')
  const why = 'what a cache holds can be loaded again; writing it costs forks, memory for copies and stalls of the disk'
  const fix = [on.includes('save') ? 'CONFIG SET save ""' : '', on.includes('appendonly') ? 'CONFIG SET appendonly no' : '']
  return warning(
    `${on.join(' and ')} ${on.length === 1 ? 'is' : 'are'} on`,
    why,
    `${fix.filter(Boolean).join(' and ')}, and the same in redis.conf`,
  )
}

function ofQueue({ info: server, config }: Facts, appendOnly: string): Finding {
  if (appendOnly !== 'yes') {
    const why = 'jobs since the last snapshot, or all of them, are lost when the server stops'
    return problem('appendonly is off', why, set('appendonly', 'yes'))
  }
  if (server.text('aof_last_write_status') === 'err') {
    return problem(
      'the append-only file cannot be written',
      'writes are refused or not kept',
      'see the server log; free the disk',
    )
  }
  if (config?.get('appendfsync') === 'no') {
    return warning(
      'appendfsync is no',
      'up to half a minute of jobs is lost when the machine stops',
      set('appendfsync', 'everysec'),
    )
  }
  return ok('the append-only file is on')
}

export const policyChecks: readonly Check[] = [
  { name: 'eviction policy', run: eviction },
  { name: 'persistence', run: persistence },
]
