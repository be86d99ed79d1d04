import type { Serializer } from '../core/options/options.ts'
import { checkForJson } from './check-value.ts'

/** JSON, for exactly those values that come back from it equal. */
export const json: Serializer = {
  name: 'json',
  id: 1,
  serialize(value) {
    checkForJson(value)
    return Buffer.from(JSON.stringify(value), 'utf8')
  },
  deserialize: bytes => JSON.parse(bytes.toString('utf8')) as unknown,
}
