import { openCacheAside } from './cache-aside.ts'
import type { Contender, ContenderName, ContenderSettings } from './contender.ts'
import { openLeasehold } from './leasehold.ts'

export function openContender(name: ContenderName, settings: ContenderSettings): Contender {
  return name === 'cache-aside' ? openCacheAside(settings) : openLeasehold(settings)
}
