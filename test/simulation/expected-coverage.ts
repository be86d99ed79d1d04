const namespaceCommands = ['record', 'stamp', 'newest-tag', 'bump-tags', 'clear', 'pulse'] as const
const commands = ['read', 'acquire', 'renew', 'commit', 'release', 'put', 'remove', 'expire'] as const

/** What a run of many seeds must have reached: each fault, each reply of each script, each branch of a call. */
export const expectedNames: readonly string[] = [
  ...each('schedules', 'without faults', 'with faults', 'played again with clocks that agree'),
  'deliveries',
  ...faults(),
  ...replies(),
  ...branches(),
]

function faults(): string[] {
  const places = [
    'pause',
    'pause of a holder',
    'kill',
    'kill of a holder',
    'close',
    'bus-down',
    'bus-silent',
    'disconnect',
    'stuck',
    'full',
  ]
  const losses = [
    'evict-value',
    'evict-lease held',
    'evict-lease marker',
    'evict-all',
    'evict-record',
    'evict-tags',
    'snapshot',
    'restart empty',
    'restart snapshot',
  ]
  const damages = ['flip', 'cut', 'foreign', 'future', 'swap', 'codec', 'payload'].map(damage => `corrupt ${damage}`)
  const clocks = ['clock-step back', 'clock-step forward']
  const wakes = ['lost wake', 'late wake', 'repeated wake', 'wake while the bus is down']
  const troubles = ['lost request', 'lost reply', 'late', 'resent', 'refused', 'cut']
  const changes = ['lost', 'late', 'repeated'].map(trouble => `${trouble} change`)
  const deaf = ['wake into silence', 'change into silence', 'key while the bus is down', 'pulse while the bus is down']
  // A set is refused at its stamp, before its put; a pulse waits for the time of the server.
  const messages = troubles
    .flatMap(trouble => each(trouble, ...commands, 'read-header', ...namespaceCommands))
    .filter(name => name !== 'refused put' && name !== 'refused pulse')
  return each('fault', ...places, ...losses, ...damages, ...clocks, ...wakes, ...changes, ...deaf, ...messages)
}

/** As the server gave them, and as a caller heard them who was still waiting. */
function replies(): string[] {
  const heard = [
    ...each('acquire', 'value', 'granted', 'busy', 'unqueued', 'cooling', 'late', 'full'),
    ...each('renew', 'held', 'not held'),
    ...each('commit', 'stored', 'lost', 'late', 'full'),
    ...each('release', 'held', 'not held'),
    ...each('put', 'stored', 'late', 'full'),
    ...each('expire', 'marked', 'nothing'),
    ...each('read', 'value', 'nothing'),
    ...each('read-header', 'value', 'nothing'),
    'remove done',
    ...each('newest-tag', 'known', 'lost'),
    ...each('record', 'record', 'nothing'),
    'stamp record',
    'bump-tags done',
    'clear done',
    ...each('pulse', 'sent', 'young'),
  ]
  return [...each('script', ...heard, 'commit stored before'), ...each('heard', ...heard)]
}

function branches(): string[] {
  const loads = ['value', 'nothing', 'failed', 'timeout', 'aborted']
  return [
    'hit',
    ...copies(),
    ...each('miss', 'loaded', 'joined', 'waited', 'unleased', 'kept', 'failed'),
    ...each('stale', 'revalidate', 'load-failed', 'timeout', 'cooldown', 'store-failed'),
    ...each('wait', 'value', 'granted', 'unqueued', 'cooling', 'gave-up', 'store-failed'),
    ...['leased', 'unleased', 'refresh'].flatMap(how => each(`load ${how}`, ...loads)),
    ...each('commit', 'stored', 'lost', 'late', 'full', 'unknown', 'too-large'),
    ...['early', 'stale'].flatMap(why =>
      each(`refresh ${why}`, 'refreshed', 'not-stored', 'failed', 'busy', 'superseded', 'full'),
    ),
    'lost',
    'loader not modified',
    ...each('set', 'stored', 'full', 'unknown', 'deferred'),
    ...['delete', 'expire', 'tags', 'clear'].flatMap(operation => each(`invalidate ${operation}`, 'applied', 'deferred')),
    ...each('journal', 'deferred', 'doubted', 'replayed'),
    'server change told',
    'told again after a server change',
    ...each('unreadable', 'foreign', 'wire-version', 'truncated', 'checksum', 'unknown-codec', 'payload'),
    ...commands.flatMap(command => each(`store-error ${command}`, 'unknown', 'not-executed')),
    ...each('store', 'up', 'down'),
    ...each('bus', 'up', 'down'),
    ...each('getOrSet rejects', 'SourceFailure', 'undefined', 'abort'),
    ...each('getOrSet rejects', 'LOAD_TIMEOUT', 'LOAD_COOLING', 'LOADER_RECURSION', 'UNSERIALIZABLE_VALUE', 'CACHE_CLOSED'),
    ...each('set rejects', 'VALUE_TOO_LARGE'),
  ]
}

/** What becomes of copies in a process. */
function copies(): string[] {
  return [
    'hit local',
    'peek copy',
    ...each('look-up', 'local', 'store'),
    'has true of a value that may be answered',
    'suspect copy',
    'copies become suspect',
    'copy behind an acknowledged revocation',
    ...each('copy', 'kept', 'not kept: no trust', 'not kept: changed since it was asked for'),
    ...each('copy told of', 'and removed', 'by its own token'),
    ...each('copies told of', 'tags', 'clear'),
    ...each('resync at', 'a change', 'a pulse'),
  ]
}

function each(what: string, ...details: readonly string[]): string[] {
  return details.map(detail => `${what} ${detail}`)
}
