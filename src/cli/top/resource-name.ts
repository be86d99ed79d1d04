import { KEY_PATTERN } from '../../index.ts'

/** The name of the keys that `key` is one of: that of its definition, else what stands before the first `:`. */
export function resourceName(key: string): string {
  const defined = KEY_PATTERN.exec(key)?.groups
  if (defined !== undefined && (defined['params'] !== undefined || defined['tenant'] !== undefined)) return defined['name'] ?? key
  const colon = key.indexOf(':')
  return colon === -1 ? key : key.slice(0, colon)
}

/** One name for a resource of a namespace. */
export function resourceId(owner: string, resource: string): string {
  return `${owner}\0${resource}`
}
