/** What Leasehold's user needs on a single server: the commands, in the words of ACL rules. `docs/security.md` shows the same. */
export const neededCommands = [
  'mget',
  'eval',
  'evalsha',
  'subscribe',
  'ping',
  'role',
  'time',
  'get',
  'set',
  'getrange',
  'setrange',
  'del',
  'unlink',
  'pttl',
  'pexpire',
  'publish',
  'zmscore',
  'zadd',
  'zscore',
  'zcard',
  'zrange',
  'zrem',
] as const

/** Leasehold does without them, but their refusals fill the ACL log. */
export const courtesyCommands = ['unsubscribe', 'info', 'client|setname', 'incr', 'pubsub|numsub'] as const

/** All of them as the rules of one user. */
export function aclRules(keyPrefix: string, namespace: string, database = 0): string {
  const suffix = database === 0 ? '' : `:${database}`
  const channels = ['bus', 'changes'].map(name => `&${keyPrefix}${namespace}:${name}${suffix}`)
  const commands = [...neededCommands, ...courtesyCommands, ...(database === 0 ? [] : ['select'])].map(name => `+${name}`)
  return [`~${keyPrefix}${namespace}:*`, ...channels, ...commands].join(' ')
}
