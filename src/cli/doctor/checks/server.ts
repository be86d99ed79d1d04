import { addressText } from '../../connect.ts'
import { formatBytes, formatMs, plural } from '../../quantities.ts'
import type { Facts } from '../facts.ts'
import { type Check, type Finding, info, ok, problem, set, unknown, unreadable, warning } from '../finding.ts'

const oldestRedis = 7
const slots = 16_384

function version({ info: server }: Facts): Finding {
  const text = server.text('redis_version')
  if (text === undefined) return unreadable('the version')
  if (server.text('valkey_version') !== undefined || Number.parseInt(text, 10) >= oldestRedis) return ok(server.server)
  const why = 'the scripts need Redis 7: without it deletes and releases would fail on a full server'
  return problem(`${server.server} is too old`, why, 'upgrade to Redis 7.0 or later, or to Valkey')
}

function answers({ interruption }: Facts): Finding | undefined {
  if (interruption === undefined) return undefined
  const { doing, how } = interruption
  const what = how === 'silent' ? 'Redis stopped answering, on a connection that stands,' : 'the connection to Redis was lost'
  return problem(
    `${what} while the doctor was ${doing}`,
    'whoever asks Redis now waits too, or is answered without it',
    'look at the process (is it stopped, out of memory or swapping?), at slow commands and at the network; then run the doctor again',
  )
}

function scripts({ scripts: fact }: Facts): Finding {
  const why = 'leases and commits are scripts; without them each process loads for itself'
  switch (fact) {
    case 'works':
      return ok('scripts may be run')
    case 'forbidden':
      return problem('the user may not run scripts', why, 'ACL SETUSER <user> +eval +evalsha')
    case 'missing':
      return problem(
        'the server knows no scripts',
        why,
        'use Redis or Valkey itself; a proxy in front of it must pass EVAL and EVALSHA on',
      )
    case 'unknown':
      return unknown('whether scripts may be run could not be found out')
  }
}

const slowEnough = 8
/** A command that takes less holds nobody up, whatever the log's threshold. */
const slowMs = 1
const advisedThreshold = '10000'
const recentSeconds = 24 * 3600
const shownCommands = 4

function slowLog({ slowLog: entries, config }: Facts): Finding {
  if (entries === undefined) return unknown('the slow log could not be read', 'run the doctor as a user with +slowlog|get')
  const threshold = Number(config?.get('slowlog-log-slower-than') ?? advisedThreshold)
  if (threshold < 0)
    return warning(
      'the slow log is off',
      'nobody can say later which command held the others up',
      set('slowlog-log-slower-than', advisedThreshold),
    )
  const recent = entries.filter(entry => entry.ageSeconds <= recentSeconds && entry.tookMs >= slowMs)
  const foreign = recent.filter(entry => !entry.ours)
  const count = `${plural(recent.length, 'slow command')} in the last 24 h`
  if (recent.length < slowEnough) {
    if (threshold >= slowMs * 1_000) return ok(count)
    return warning(
      `slowlog-log-slower-than is ${threshold}: the slow log keeps ${threshold === 0 ? 'every command' : `commands from ${formatMs(threshold / 1_000)} on`}; ${recent.length} of ${formatMs(slowMs)} or more in the last 24 h`,
      'it is full of commands that hold nobody up, and has forgotten those that did',
      set('slowlog-log-slower-than', advisedThreshold),
    )
  }
  const finding = `${count}, ${foreign.length} of them not Leasehold's: ${worstFirst(recent)}`
  const why = 'Redis runs one command at a time: while a slow one runs, every call waits'
  const fix =
    foreign.length * 2 >= recent.length
      ? 'find who sends them (SLOWLOG GET names address and client), replace KEYS by SCAN, split big ranges, or give them a server of their own'
      : 'look for big values (check "big keys"), and for a machine that swaps or is short of CPU'
  return warning(finding, why, fix)
}

function worstFirst(entries: NonNullable<Facts['slowLog']>): string {
  const byCommand = new Map<string, { count: number; worstMs: number }>()
  for (const { command, tookMs } of entries) {
    const { count, worstMs } = byCommand.get(command) ?? { count: 0, worstMs: 0 }
    byCommand.set(command, { count: count + 1, worstMs: Math.max(worstMs, tookMs) })
  }
  const shown = [...byCommand].toSorted(([, a], [, b]) => b.count - a.count).slice(0, shownCommands)
  return shown
    .map(([command, { count, worstMs }]) => `${command} ${plural(count, 'time')}, up to ${formatMs(worstMs)}`)
    .join('; ')
}

function rights({ rights: fact }: Facts): Finding {
  const user = fact.user === undefined ? 'the user' : `user "${fact.user}"`
  const fixed = `ACL SETUSER ${fact.user ?? '<user>'}`
  const barred = fact.barred === undefined ? undefined : barredTexts[fact.barred]
  if (fact.missing.length > 0) {
    return problem(
      `${user} has no right to: ${fact.missing.join(', ')}${barred === undefined ? '' : `; and it ${barred.finding}`}`,
      whyMissing(fact.missing),
      `${fixed} with the rules of docs/security.md, or: ${ruleFor(fact.missing)}${barred === undefined ? '' : ` ${barred.rule}`}`,
    )
  }
  if (barred !== undefined)
    return problem(`${user} ${barred.finding}`, 'an application that names it is refused', `${fixed} ${barred.rule}`)
  switch (fact.extent) {
    case 'all':
      return fact.missingCourtesy.length === 0
        ? ok(`${user} may do all that Leasehold does`)
        : info(
            `${user} may do all that Leasehold needs; without ${fact.missingCourtesy.join(' and ')} the ACL log fills with refusals`,
          )
    case 'reads':
      return unknown(
        `${user} may read; what else, it may not ask`,
        'run the doctor as an administrator with --user <name>, or with --write',
      )
    case 'no such user':
      return problem(
        `there is no such user as "${fact.user ?? ''}"`,
        'an application that names it is refused',
        'check the spelling against ACL USERS, or add the user: docs/security.md has the rules',
      )
    case 'none':
      return unknown('the rights could not be found out')
  }
}

const barredTexts = {
  off: { finding: 'is off: it cannot log in', rule: 'on' },
  'no password': { finding: 'has no password: it cannot log in', rule: '>password' },
} as const

/** Without wake-ups nothing is refused but to listen. */
function whyMissing(missing: readonly string[]): string {
  const deaf = missing.filter(right => right.startsWith('channel ') || right === 'subscribe')
  const poll = 'wake-ups cannot be heard, so waiting calls poll; everything else works'
  if (deaf.length === missing.length) return poll
  return 'what is refused fails at every call: values are loaded without a lease, or deletes are rejected'
}

function ruleFor(missing: readonly string[]): string {
  return missing
    .map(right => {
      if (right.startsWith('keys ')) return `~${right.slice(5)}`
      if (!right.startsWith('channel ')) return `+${right}`
      const channel = right.slice(8)
      return `&${channel} &${channel.replace(/:bus(:\d+)?$/, ':changes$1')}`
    })
    .join(' ')
}

const laggingSeconds = 5
const laggingBytes = 16 * 1024 ** 2

function replication({ info: server, role }: Facts): Finding | undefined {
  if (server.text('role') === undefined) return unreadable('the replication state')
  if (server.text('role') !== 'master') {
    const why = 'a replica takes no writes, and Leasehold refuses to read from it'
    return problem('this server is a replica', why, 'point REDIS_URL at the primary, or use Sentinel')
  }
  const written = server.number('master_repl_offset') ?? 0
  const replicas = server.names('slave').flatMap(name => (/^slave\d+$/.test(name) ? [server.parts(name)] : []))
  const behind = replicas.flatMap(replica => {
    const lag = Number(replica?.get('lag') ?? 0)
    const bytes = written - Number(replica?.get('offset') ?? written)
    const state = replica?.get('state') ?? 'online'
    const name = addressText({ host: replica?.get('ip') ?? '?', port: Number(replica?.get('port')) })
    if (state !== 'online') return [`${name} is ${state}`]
    return lag >= laggingSeconds || bytes >= laggingBytes
      ? [`${name} was last heard of ${lag} s ago and is ${formatBytes(Math.max(0, bytes))} behind`]
      : []
  })
  if (behind.length > 0) {
    const why = 'what a replica does not have when it is promoted is lost: deleted values come back, jobs are gone'
    return warning(
      behind.join('; '),
      why,
      "look at the replica's load and at the network; raise client-output-buffer-limit replica if it reconnects again and again",
    )
  }
  if (replicas.length === 0)
    return role === 'cache' ? ok('a primary, no replicas') : info('a primary without replicas: it is the only copy')
  return ok(`a primary, ${plural(replicas.length, 'replica')} up to date`)
}

function cluster({ cluster: state }: Facts): Finding | undefined {
  if (state === undefined) return undefined
  const count = (name: string): number => state.number(name) ?? 0
  const failing = count('cluster_slots_fail')
  const suspect = count('cluster_slots_pfail')
  const unserved = slots - count('cluster_slots_assigned')
  const broken = state.text('cluster_state') !== 'ok'
  if (!broken && failing + suspect + unserved === 0)
    return ok(`${plural(count('cluster_size'), 'primary').replace('primarys', 'primaries')}, all slots served`)
  const parts = [
    `cluster_state is ${state.text('cluster_state') ?? 'unknown'}`,
    failing > 0 ? `${plural(failing, 'slot')} failing` : '',
    suspect > 0 ? `${plural(suspect, 'slot')} possibly failing` : '',
    unserved > 0 ? `${plural(unserved, 'slot')} assigned to nobody` : '',
  ]
  const why = 'keys of such slots have no server: calls for them are answered by their loaders, and deletes are rejected'
  return problem(
    parts.filter(Boolean).join(', '),
    why,
    'CLUSTER NODES names the failing node: restart it, or CLUSTER FAILOVER on its replica; redis-cli --cluster fix for slots of nobody',
  )
}

function writeProbe({ writeProbe: probe }: Facts): Finding | undefined {
  if (probe === undefined) return undefined
  if (probe.outcome === 'works') {
    const left = probe.left.length === 0 ? '' : `; left behind, since the user may not remove it: ${probe.left.join(', ')}`
    return ok(`a key was written, read and deleted${left}`)
  }
  const finding = `writing, reading and deleting a key failed: ${probe.reason}`
  return problem(finding, 'the cache cannot do its work', probe.fix ?? fixFor(probe.reason))
}

function fixFor(reason: string): string {
  if (reason.includes('out of memory')) return 'see "eviction policy" and "maxmemory": a cache needs a policy that evicts'
  if (reason.includes('is a replica')) return 'point REDIS_URL at the primary'
  if (reason.includes('no permission')) return 'see "rights"; docs/security.md has the rules of a user'
  return 'see that Redis runs, and what its log says'
}

export const serverChecks: readonly Check[] = [
  { name: 'answers', run: answers },
  { name: 'version', run: version },
  { name: 'scripts', run: scripts },
  { name: 'rights', run: rights },
  { name: 'write probe', run: writeProbe },
  { name: 'slow log', run: slowLog },
  { name: 'replication', run: replication },
  { name: 'cluster', run: cluster },
]
