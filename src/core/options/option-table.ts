import { mostTags, tagAllowed } from '../tags/check-tags.ts'
import { describeBounds, formatDuration, type DurationBounds } from './duration.ts'

const day = 86_400_000
const hour = 3_600_000
const minute = 60_000

interface NumberBounds {
  readonly min: number
  readonly max: number
}

export type DurationOption =
  | 'ttl'
  | 'nullTtl'
  | 'staleWhileRevalidate'
  | 'staleIfError'
  | 'refresh.window'
  | 'timeout.soft'
  | 'timeout.hard'
  | 'errorCooldown'
  | 'lease'
  | 'commandTimeout'
  | 'storeBudget'
  | 'closeTimeout'
  | 'outageTtl'
  | 'local.ttl'
export type NumberOption = 'rollout' | 'shadow' | 'jitter' | 'refresh.beta' | 'refresh.probability'
export type IntegerOption =
  | 'version'
  | 'compressAbove'
  | 'maxValueBytes'
  | 'maxKeyBytes'
  | 'maxRefreshes'
  | 'maxConcurrentLoads'
  | 'maxQueuedLoads'
  | 'local.maxEntries'
  | 'local.maxBytes'

/** In ms. */
export const durationBounds: Readonly<Record<DurationOption, DurationBounds>> = {
  ttl: { min: 1, max: 3650 * day },
  nullTtl: { min: 1, max: 3650 * day },
  staleWhileRevalidate: { min: 0, max: 3650 * day },
  staleIfError: { min: 0, max: 3650 * day },
  'refresh.window': { min: 1, max: 3650 * day },
  'timeout.soft': { min: 1, max: day },
  'timeout.hard': { min: 1, max: day },
  errorCooldown: { min: 0, max: day },
  lease: { min: 100, max: minute },
  commandTimeout: { min: 1, max: minute },
  storeBudget: { min: 1, max: 10 * minute },
  closeTimeout: { min: 0, max: hour },
  outageTtl: { min: 0, max: hour },
  'local.ttl': { min: 1, max: day },
}

export const numberBounds: Readonly<Record<NumberOption, NumberBounds>> = {
  jitter: { min: 0, max: 0.5 },
  rollout: { min: 0, max: 1 },
  shadow: { min: 0, max: 1 },
  'refresh.beta': { min: 0, max: 1000 },
  'refresh.probability': { min: 0, max: 1 },
}

export const integerBounds: Readonly<Record<IntegerOption, NumberBounds>> = {
  version: { min: 0, max: 65_535 },
  compressAbove: { min: 0, max: 536_870_912 },
  maxValueBytes: { min: 128, max: 536_870_912 },
  maxKeyBytes: { min: 64, max: 4096 },
  maxRefreshes: { min: 1, max: 10_000 },
  maxConcurrentLoads: { min: 1, max: 100_000 },
  maxQueuedLoads: { min: 0, max: 1_000_000 },
  'local.maxEntries': { min: 1, max: 10_000_000 },
  'local.maxBytes': { min: 1024, max: 68_719_476_736 },
}

/** Where an option may be given: to `createCache`, to `define`, to `getOrSet`, to `set`, to calls that only name a key. */
export type OptionPlace = 'cache' | 'resource' | 'call' | 'set' | 'key'

export interface OptionRow {
  readonly name: string
  /** As a user would write it; empty when there is none. */
  readonly default: string
  /** Completes "must be …". */
  readonly allowed: string
  readonly places: readonly OptionPlace[]
}

const cache: readonly OptionPlace[] = ['cache']
const call: readonly OptionPlace[] = ['call']
const resource: readonly OptionPlace[] = ['resource']
const policy: readonly OptionPlace[] = ['cache', 'resource', 'call']
const lifetime: readonly OptionPlace[] = ['cache', 'resource', 'call', 'set']
const everywhere: readonly OptionPlace[] = ['cache', 'resource', 'call', 'set', 'key']

function duration(name: DurationOption, defaultMs: number | undefined, places: readonly OptionPlace[]): OptionRow {
  return {
    name,
    default: defaultMs === undefined ? '' : formatDuration(defaultMs),
    allowed: describeBounds(durationBounds[name]),
    places,
  }
}

function number(name: NumberOption, value: number | undefined, places: readonly OptionPlace[]): OptionRow {
  const { min, max } = numberBounds[name]
  return { name, default: value === undefined ? '' : String(value), allowed: `a number from ${min} to ${max}`, places }
}

function integer(name: IntegerOption, value: number | undefined, places: readonly OptionPlace[]): OptionRow {
  const { min, max } = integerBounds[name]
  return { name, default: value === undefined ? '' : String(value), allowed: `a whole number from ${min} to ${max}`, places }
}

/** What applies where an option is left out. */
export const defaults: {
  readonly [
    Name in
      | 'ttlMs'
      | 'jitter'
      | 'beta'
      | 'hardTimeoutMs'
      | 'leaseMs'
      | 'compressAbove'
      | 'maxValueBytes'
      | 'maxKeyBytes'
      | 'commandTimeoutMs'
      | 'storeBudgetMs'
      | 'maxRefreshes'
      | 'closeTimeoutMs'
      | 'outageTtlMs'
      | 'maxConcurrentLoads'
      | 'maxQueuedLoads'
      | 'localMaxEntries'
      | 'localMaxBytes'
      | 'localTtlMs'
  ]: number
} = {
  ttlMs: 5 * minute,
  jitter: 0.1,
  beta: 1,
  hardTimeoutMs: 30_000,
  leaseMs: 1000,
  compressAbove: 16_384,
  maxValueBytes: 1_048_576,
  maxKeyBytes: 512,
  commandTimeoutMs: 100,
  storeBudgetMs: 250,
  maxRefreshes: 16,
  closeTimeoutMs: 5000,
  outageTtlMs: 1000,
  maxConcurrentLoads: 256,
  maxQueuedLoads: 10_000,
  localMaxEntries: 10_000,
  localMaxBytes: 67_108_864,
  localTtlMs: minute,
}

/** Every option there is. `docs/options.md` shows the same rows. */
export const optionTable: readonly OptionRow[] = [
  { name: 'namespace', default: '', allowed: '1 to 64 of the characters A-Z a-z 0-9 _ . -', places: cache },
  { name: 'store', default: 'memoryStore()', allowed: 'a store such as redisStore(url)', places: cache },
  duration('ttl', defaults.ttlMs, lifetime),
  number('jitter', defaults.jitter, lifetime),
  {
    name: 'refresh',
    default: "'xfetch'",
    allowed: "'xfetch', { strategy: 'xfetch', beta? }, { strategy: 'window', window, probability } or false",
    places: policy,
  },
  number('refresh.beta', defaults.beta, policy),
  duration('refresh.window', undefined, policy),
  number('refresh.probability', undefined, policy),
  duration('staleWhileRevalidate', 0, lifetime),
  duration('staleIfError', 0, lifetime),
  { name: 'timeout', default: "{ hard: '30s' }", allowed: 'an object { soft?, hard? }', places: policy },
  duration('timeout.soft', undefined, policy),
  duration('timeout.hard', defaults.hardTimeoutMs, policy),
  duration('errorCooldown', 0, policy),
  duration('lease', defaults.leaseMs, policy),
  integer('version', 0, everywhere),
  { name: 'tags', default: '[]', allowed: `an array of at most ${mostTags} tags, each ${tagAllowed}`, places: lifetime },
  { name: 'forceFresh', default: 'false', allowed: 'true or false', places: call },
  { name: 'signal', default: '', allowed: 'an AbortSignal', places: call },
  { name: 'values', default: "'copy'", allowed: "'copy' or 'freeze'", places: cache },
  {
    name: 'codec',
    default: "'msgpack'",
    allowed: "'msgpack', 'json' or { name, id from 128 to 255, serialize, deserialize }",
    places: cache,
  },
  {
    name: 'compression',
    default: "'deflate'",
    allowed: "'deflate', lz4(), false or { name, id from 128 to 255, compress, decompress }",
    places: cache,
  },
  integer('compressAbove', defaults.compressAbove, cache),
  integer('maxValueBytes', defaults.maxValueBytes, cache),
  integer('maxKeyBytes', defaults.maxKeyBytes, cache),
  duration('commandTimeout', defaults.commandTimeoutMs, cache),
  duration('storeBudget', defaults.storeBudgetMs, cache),
  duration('outageTtl', defaults.outageTtlMs, cache),
  integer('maxConcurrentLoads', defaults.maxConcurrentLoads, cache),
  integer('maxRefreshes', defaults.maxRefreshes, cache),
  duration('closeTimeout', defaults.closeTimeoutMs, cache),
  number('rollout', 1, cache),
  { name: 'enabled', default: '', allowed: 'a function that returns true or false', places: cache },
  number('shadow', 0, cache),
  { name: 'key', default: '', allowed: 'a function from parameters to a plain object', places: resource },
  { name: 'tenant', default: 'false', allowed: 'true or false', places: resource },
  { name: 'load', default: '', allowed: 'a function; needed unless there is loadMany', places: resource },
  { name: 'loadMany', default: '', allowed: 'a function; needed unless there is load', places: resource },
  { name: 'batch', default: 'false', allowed: 'true, with loadMany, or false', places: resource },
  { name: 'schema', default: '', allowed: 'a Standard Schema validator', places: resource },
  { name: 'upgrade', default: '', allowed: 'a function, with a version above 0', places: resource },
  duration('nullTtl', undefined, resource),
  { name: 'shouldCache', default: '', allowed: 'a function', places: resource },
  integer('maxConcurrentLoads', undefined, resource),
  integer('maxQueuedLoads', defaults.maxQueuedLoads, resource),
  {
    name: 'local',
    default: "{ mode: 'off' }",
    allowed: "an object { mode: 'off', 'validate' or 'trust', maxEntries?, maxBytes?, ttl? }",
    places: cache,
  },
  { name: 'local.mode', default: "'off'", allowed: "'off', 'trust' or, with values 'freeze', 'validate'", places: cache },
  integer('local.maxEntries', defaults.localMaxEntries, cache),
  integer('local.maxBytes', defaults.localMaxBytes, cache),
  duration('local.ttl', defaults.localTtlMs, cache),
  { name: 'clock', default: '', allowed: 'a Clock: now, wallNow, setTimeout, clearTimeout and unref', places: cache },
  { name: 'random', default: '', allowed: 'a Random: next and token', places: cache },
]

const allowedOf: ReadonlyMap<string, string> = new Map(optionTable.map(row => [row.name, row.allowed]))

/** What an option may be, in words. */
export function allowedFor(option: string): string {
  return allowedOf.get(option) ?? ''
}

function namesAt(place: OptionPlace): ReadonlySet<string> {
  return new Set(optionTable.filter(row => row.places.includes(place) && !row.name.includes('.')).map(row => row.name))
}

export const cacheOptionNames: ReadonlySet<string> = namesAt('cache')
export const resourceOptionNames: ReadonlySet<string> = namesAt('resource')
export const callOptionNames: ReadonlySet<string> = namesAt('call')
export const setOptionNames: ReadonlySet<string> = namesAt('set')
export const keyOptionNames: ReadonlySet<string> = namesAt('key')
