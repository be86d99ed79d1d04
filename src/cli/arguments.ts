import { InvalidArgumentError } from 'commander'
import { newest, parseServerVersion, type ServerVersion } from './conf/target.ts'
import { parseBytes } from './quantities.ts'

const leastMemory = 64 * 1024 ** 2
const mostMemory = 64 * 1024 ** 4

export function memoryArgument(text: string): number {
  const bytes = parseBytes(text)
  if (bytes === undefined || bytes < leastMemory || bytes > mostMemory)
    throw new InvalidArgumentError('It must be a size from 64mb to 64tb, such as 8gb.')
  return bytes
}

export function versionArgument(text: string): ServerVersion {
  const version = parseServerVersion(text)
  if (version === undefined)
    throw new InvalidArgumentError(
      `It must be 7.0 or later, such as 7.2, 8.0 or valkey-8.0; the last ones known are ${newest.redis}.x and valkey-${newest.valkey}.x.`,
    )
  return version
}

export function wholeNumberArgument(from: number, to: number): (text: string) => number {
  return text => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < from || value > to)
      throw new InvalidArgumentError(`It must be a whole number from ${from} to ${to}.`)
    return value
  }
}

export function namespaceArgument(text: string): string {
  if (!/^[A-Za-z0-9_.-]+$/.test(text)) throw new InvalidArgumentError('It must be of A-Z a-z 0-9 _ . -')
  return text
}
