import { formatBytes } from '../quantities.ts'
import { wrap } from '../table.ts'
import { sectionsFor } from './directives.ts'
import { type ConfTarget, versionText } from './target.ts'

const width = 98

/** A redis.conf, each line with its reason. */
export function renderConf(target: ConfTarget): string {
  const { role, memoryBytes, cores, server } = target
  const what = role === 'cache' ? 'a cache' : 'a durable queue'
  const machine = `${formatBytes(memoryBytes)} of memory and ${cores} ${cores === 1 ? 'core' : 'cores'}`
  const head = comment(`${versionText(server)} as ${what}, on ${machine} of its own. Made by: ${commandFor(target)}`)
  const sections = sectionsFor(target).map(({ title, entries }) => {
    const blocks = entries.map(({ why, lines }) => [...comment(why), ...lines].join('\n'))
    return [`# --- ${title} ---`, ...blocks].join('\n\n')
  })
  return `${[head.join('\n'), ...sections].join('\n\n')}\n`
}

/** The command that prints this configuration. */
function commandFor({ role, memoryBytes, cores, server, eviction, activeDefrag, tls, namespace }: ConfTarget): string {
  const version = `${server.kind === 'valkey' ? 'valkey-' : ''}${server.major}.${server.minor}`
  const parts = [`leasehold conf --role ${role} --memory ${sizeText(memoryBytes)} --cores ${cores} --redis ${version}`]
  if (role === 'cache' && eviction === 'lru') parts.push('--eviction lru')
  if (!activeDefrag) parts.push('--no-active-defrag')
  if (tls) parts.push('--tls')
  if (namespace !== 'app') parts.push(`--namespace ${namespace}`)
  return parts.join(' ')
}

function sizeText(bytes: number): string {
  const gigabytes = bytes / 1024 ** 3
  return Number.isInteger(gigabytes) ? `${gigabytes}gb` : `${Math.round(bytes / 1024 ** 2)}mb`
}

function comment(text: string): string[] {
  return wrap(text, width).map(line => `# ${line}`)
}
