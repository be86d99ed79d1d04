import { readFileSync } from 'node:fs'
import { peers as dedupe } from './adapters/async-cache-dedupe.ts'
import { peers as bentocache } from './adapters/bentocache.ts'
import { peers as cacheable } from './adapters/cacheable.ts'
import { peers as ioredis } from './adapters/ioredis.ts'
import { peers as layered } from './adapters/layered-loader.ts'
import { peers as leasehold } from './adapters/leasehold.ts'
import type { Peer } from './peer.ts'

export const allPeers: readonly Peer[] = [...ioredis, ...leasehold, ...bentocache, ...cacheable, ...dedupe, ...layered]

export function peerOf(title: string): Peer {
  const found = allPeers.find(peer => peer.title === title)
  if (found === undefined) throw new Error(`no peer ${title}`)
  return found
}

export function versionOf({ package: name }: Peer): string {
  const file = name === 'leasehold' ? '../../package.json' : `node_modules/${name}/package.json`
  return (JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as { version: string }).version
}
