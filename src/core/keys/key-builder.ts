import { createHash } from 'node:crypto'
import { invalidOption, unknownOption } from '../options/invalid-option.ts'
import { decodeParams, decodeText } from './key-decoding.ts'
import { encodeParams, encodeText, invalidKey, isPlain, textPattern } from './key-encoding.ts'

type KeyScalar = string | number | bigint | boolean | null | undefined | Date

/** `Type` where it can be part of a key, `never` where it cannot (functions, symbols, classes with methods). */
export type KeyValue<Type> = Type extends KeyScalar
  ? Type
  : Type extends readonly (infer Item)[]
    ? readonly KeyValue<Item>[]
    : Type extends symbol | ((...args: never[]) => unknown)
      ? never
      : { readonly [Name in keyof Type]: KeyValue<Type[Name]> }

/** What the parameters of a key have to look like. */
export type KeyParams<Params> = { readonly [Name in keyof Params]: KeyValue<Params[Name]> }

/** For keys that are one of a kind. */
export interface NoParams {
  readonly [parameter: string]: never
}

/** Makes the keys of one kind. */
export interface KeyBuilder<Params> {
  /**
   * The key for these parameters: the same for equal ones, another for any others.
   *
   * @throws LeaseholdError `INVALID_KEY`, which names the parameter.
   */
  (...args: NoParams extends Params ? [params?: Params] : [params: Params]): string
  readonly name: string
  /** Matches the keys that this builder makes. */
  readonly pattern: RegExp
}

export interface KeyOfTenantOptions {
  /** The keys belong to a tenant, whose `tenant` parameter is demanded and comes first. Default false. */
  readonly tenant: true
  /** Keys of more bytes in UTF-8 keep name and tenant, and the rest is hashed. 256 to 4096, default 512. */
  readonly maxBytes?: number
}

export interface DefineKeyOptions {
  readonly tenant?: false
  /** Keys of more bytes in UTF-8 keep the name, and the rest is hashed. 256 to 4096, default 512. */
  readonly maxBytes?: number
}

const segment = '[a-z][a-z0-9-]*'
const hashed = '%h[A-Za-z0-9_-]{43}'
const tenantPart = `:@(?<tenant>${textPattern}+|${hashed})`
const paramsPart = `:(?<params>${textPattern}*=(?:${textPattern}|[,=:()\\[\\]])+|${hashed})`
const namePattern = new RegExp(`^${segment}(?::${segment}){0,3}$`)
const longestName = 64
const longestTenantBytes = 128
const defaultMaxBytes = 512
const optionNames = ['tenant', 'maxBytes']

/** Matches what key builders make, and little else: {@link isCanonicalKey} is exact. Groups: `name`, `tenant`, `params`. */
export const KEY_PATTERN: RegExp = new RegExp(
  `^(?<name>${segment}(?::${segment}){0,3})(?:${tenantPart})?(?:${paramsPart})?$`,
  'u',
)

/**
 * Defines the keys of one kind of thing.
 *
 * @param name One to four words joined by `:`, such as `catalog:user`; each begins with a letter and has `a-z 0-9 -`. At most 64 characters.
 * @throws LeaseholdError `INVALID_KEY`, `INVALID_OPTION`, `UNKNOWN_OPTION`
 */
export function defineKey<Params extends KeyParams<Params> & { readonly tenant: string }>(
  name: string,
  options: KeyOfTenantOptions,
): KeyBuilder<Params>
export function defineKey<Params extends KeyParams<Params> = NoParams>(
  name: string,
  options?: DefineKeyOptions,
): KeyBuilder<Params>
export function defineKey(name: string, options: KeyOfTenantOptions | DefineKeyOptions = {}): KeyBuilder<never> {
  if (typeof name !== 'string' || !namePattern.test(name) || name.length > longestName) {
    throw invalidKey(name, `a name is one to four words of a-z 0-9 - joined by ":", at most ${longestName} characters`)
  }
  checkOptions(options)
  const { tenant: ofTenant = false, maxBytes = defaultMaxBytes } = options

  function build(params: object = {}): string {
    if (typeof params !== 'object' || params === null || !isPlain(params)) {
      throw invalidKey(name, 'parameters must be one plain object')
    }
    const fields = encodeParams(name, params, ofTenant ? 'tenant' : undefined)
    const rest = fields === '' ? '' : `:${fields}`
    if (!ofTenant) return bounded(name, rest, maxBytes)
    const tenant = encodeText(checkTenant(name, params))
    if (Buffer.byteLength(tenant) > longestTenantBytes) return bounded(`${name}:@%h${hashOf(tenant)}`, rest, maxBytes)
    return bounded(`${name}:@${tenant}`, rest, maxBytes)
  }

  const pattern = new RegExp(`^${name}${ofTenant ? tenantPart : ''}(?:${paramsPart})?$`, 'u')
  Object.defineProperties(build, { name: { value: name }, pattern: { value: pattern, enumerable: true } })
  return build as unknown as KeyBuilder<never>
}

/** Whether a key builder could have made `key`: every part spelled the one way there is, names in order, no escape too many. */
export function isCanonicalKey(key: string): boolean {
  const parts = typeof key === 'string' ? KEY_PATTERN.exec(key)?.groups : undefined
  if (parts === undefined || (parts['name'] ?? '').length > longestName) return false
  return isCanonicalTenant(parts['tenant']) && isCanonicalParams(parts['params'])
}

function isCanonicalTenant(text: string | undefined): boolean {
  if (text === undefined || text.startsWith('%h')) return true
  return text !== '~' && encodeText(decodeText(text)) === text && Buffer.byteLength(text) <= longestTenantBytes
}

function isCanonicalParams(text: string | undefined): boolean {
  if (text === undefined || text.startsWith('%h')) return true
  const params = decodeParams(text)
  return params !== undefined && encodeParams('', params) === text
}

/** `%h` begins no escape, so a hash is never mistaken for parameters. */
function bounded(head: string, rest: string, maxBytes: number): string {
  const key = head + rest
  // No character takes more than three bytes for each of its UTF-16 units.
  if (key.length * 3 <= maxBytes || rest === '' || Buffer.byteLength(key) <= maxBytes) return key
  return `${head}:%h${hashOf(rest)}`
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

function checkTenant(name: string, params: object): string {
  const { tenant } = params as { readonly tenant?: unknown }
  if (typeof tenant === 'string' && tenant !== '') return tenant
  throw invalidKey(name, 'parameter "tenant" must be a text that is not empty')
}

function checkOptions(options: object): void {
  for (const name in options) {
    if (!optionNames.includes(name)) throw unknownOption(name, optionNames)
  }
  const { tenant, maxBytes } = options as Record<string, unknown>
  if (tenant !== undefined && typeof tenant !== 'boolean') throw invalidOption('tenant', tenant, 'true or false')
  if (maxBytes === undefined) return
  if (Number.isInteger(maxBytes) && (maxBytes as number) >= 256 && (maxBytes as number) <= 4096) return
  throw invalidOption('maxBytes', maxBytes, 'a whole number from 256 to 4096')
}
