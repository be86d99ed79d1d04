import type { StoredKey } from '../../../redis/parse-key.ts'
import { formatBytes, formatCount, formatMs, formatShare, plural } from '../../quantities.ts'
import { printable } from '../../table.ts'
import { byNamespace } from '../by-namespace.ts'
import type { Facts, KeySample, SampledKey } from '../facts.ts'
import { type Check, type Finding, info, ok, unknown, warning } from '../finding.ts'
import { findCliff } from '../ttl-cliff.ts'

/** What Leasehold keeps of a namespace itself. */
const lastingKinds: ReadonlySet<StoredKey['kind'] | undefined> = new Set<StoredKey['kind']>(['record', 'tags', 'changes'])

const bigBytes = 1024 ** 2
const shownExamples = 3
const shownNamespaces = 5

function bigKeys({ sample }: Facts): Finding {
  if (sample === undefined) return notSampled()
  if (sample.keys.length > 0 && sample.keys.every(key => key.bytes === undefined))
    return unknown('sizes could not be read', 'grant +memory|usage')
  const big = sample.keys.filter(key => (key.bytes ?? 0) >= bigBytes).toSorted((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0))
  const largest = big[0]
  if (largest === undefined) return ok(`none of 1 MiB or more ${among(sample)}`)
  const shown = big.slice(0, shownExamples).map(key => `${nameOf(key)} (${formatBytes(key.bytes ?? 0)})`)
  const why = 'reading or freeing one holds up every other command, and a reply of that size every other reply of its connection'
  const fix = "store less per key, or compress (compressAbove); maxValueBytes keeps Leasehold's own below a limit"
  return warning(`${plural(big.length, 'key')} of 1 MiB or more ${among(sample)}: ${shown.join(', ')}`, why, fix)
}

function withoutLifetime({ sample, role }: Facts): Finding | undefined {
  if (role === 'queue') return undefined
  if (sample === undefined) return notSampled()
  const forever = sample.keys.filter(key => key.ttlMs === -1 && !lastingKinds.has(key.stored?.kind))
  const lasting = sample.keys.filter(key => key.ttlMs === -1).length - forever.length
  if (forever.length === 0 && lasting > 0)
    return ok(`only ${plural(lasting, 'key')} of namespaces themselves never expire, which is right ${among(sample)}`)
  if (forever.length === 0) return ok(`every key has a lifetime ${among(sample)}`)
  const finding = `${formatShare(forever.length / sample.keys.length)} of the keys never expire ${among(sample)}, such as ${examples(forever)}`
  const why = 'what never expires is never loaded anew and leaves only by eviction'
  return warning(finding, why, 'give them a lifetime (EXPIRE) or a server of their own; entries of Leasehold always have one')
}

function layout({ sample, role }: Facts): Finding | undefined {
  if (sample === undefined) return role === 'queue' ? undefined : notSampled()
  const misplaced = sample.keys.filter(key => key.stored?.inPlace === false)
  if (misplaced.length > 0) {
    const why = 'Leasehold looks for a key in its own partition, so these are never read'
    return warning(
      `${plural(misplaced.length, 'key')} in a partition that is not theirs ${among(sample)}: ${examples(misplaced)}`,
      why,
      'delete them: something has renamed or restored them under another name',
    )
  }
  if (role === 'queue') return undefined
  const foreign = sample.keys.filter(key => key.stored === undefined)
  if (foreign.length === 0) return ok(`all keys lie in namespaces ${among(sample)}`)
  const finding = `${formatShare(foreign.length / sample.keys.length)} of the keys lie outside any namespace ${among(sample)}, such as ${examples(foreign)}`
  const why = 'they share memory and eviction with the cache, and nothing of Leasehold lists, clears or counts them'
  return warning(finding, why, 'give them a server of their own, or move them into a cache with a namespace')
}

function memoryPerNamespace({ sample }: Facts): Finding {
  if (sample === undefined) return notSampled()
  const owners = byNamespace(sample)
  if (owners.length === 0) return info('no namespaces')
  const about = sample.complete ? '' : 'about '
  const shown = owners
    .slice(0, shownNamespaces)
    .map(
      ({ namespace, keys, bytes }) =>
        `${printable(namespace)}: ${about}${plural(keys, 'key')}${bytes === undefined ? '' : `, ${about}${formatBytes(bytes)}`}`,
    )
  const more = owners.length > shownNamespaces ? `; and ${owners.length - shownNamespaces} more` : ''
  return info(`${shown.join('; ')}${more}`)
}

function ttlDistribution({ sample, role }: Facts): Finding | undefined {
  if (role === 'queue') return undefined
  if (sample === undefined) return notSampled()
  const lifetimes = sample.keys
    .filter(key => key.stored?.kind !== 'lease')
    .flatMap(key => key.freshMs ?? (key.ttlMs > 0 ? [key.ttlMs] : []))
  if (lifetimes.length === 0) return info('no lifetimes to look at')
  const sorted = lifetimes.toSorted((a, b) => a - b)
  const cliff = findCliff(sorted)
  if (cliff === undefined) return ok(spreadOf(sorted))
  const finding = `${formatShare(cliff.share)} of ${plural(lifetimes.length, 'key')} expire within ${formatMs(cliff.widthMs)} of each other, in ${formatMs(cliff.inMs)}`
  const why = 'they are all loaded anew at once: a stampede on the source'
  const fix =
    'let jitter spread them (jitter: 0.1 is the default; something stored these with one lifetime at one time), or refresh ahead'
  return warning(finding, why, fix)
}

/** How long it takes until a tenth, a half and nine tenths are stale or gone. */
function spreadOf(sorted: readonly number[]): string {
  const left = sorted.filter(lifetime => lifetime > 0)
  const stale = left.length === sorted.length ? '' : `; ${plural(sorted.length - left.length, 'key')} stale already`
  const at = (share: number): string => formatMs(left[Math.min(left.length - 1, Math.floor(share * left.length))] ?? 0)
  return `of ${plural(left.length, 'key')} a tenth is stale or gone within ${at(0.1)}, half within ${at(0.5)}, nine tenths within ${at(0.9)}${stale}`
}

function among({ keys, complete, total }: KeySample): string {
  if (total === 0) return '(there are no keys)'
  return complete ? `(all ${plural(keys.length, 'key')})` : `(${formatCount(keys.length)} sampled of ${formatCount(total)})`
}

/** Up to the first `:`, since the rest may be anybody's name or address. */
function nameOf({ name, stored }: SampledKey): string {
  if (stored !== undefined) return printable(`${stored.owner}…${stored.key.split(':')[0]?.slice(0, 40) ?? ''}:…`)
  const head = name.slice(0, 40).split(':')[0] ?? ''
  return printable(head.length < name.length ? `${head}:…`.replace(/^(.{12})[^:]{28,}:…$/, '$1…') : shortened(name))
}

function shortened(name: string): string {
  return name.length <= 16 ? name : `${name.slice(0, 12)}…`
}

function examples(keys: readonly SampledKey[]): string {
  return [...new Set(keys.map(nameOf))].slice(0, shownExamples).join(', ')
}

function notSampled(): Finding {
  return unknown('keys could not be sampled', 'run the doctor as a user with +scan +pttl +memory|usage on all keys')
}

export const keyChecks: readonly Check[] = [
  { name: 'big keys', run: bigKeys },
  { name: 'keys without lifetime', run: withoutLifetime },
  { name: 'layout', run: layout },
  { name: 'namespaces', run: memoryPerNamespace },
  { name: 'lifetimes', run: ttlDistribution },
]
