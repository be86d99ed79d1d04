import { CliError, exitCodes } from '../cli-error.ts'
import type { Console } from '../console.ts'
import { type Deployment, withDeployment, type Primaries } from '../deployment.ts'
import { byNamespace } from '../doctor/by-namespace.ts'
import type { KeySample } from '../doctor/facts.ts'
import { sampleKeys } from '../doctor/sample-keys.ts'
import { EntryJudge, type EntryRow } from '../entry-judge.ts'
import { formatBytes, formatCount, formatMs, plural } from '../quantities.ts'
import { globOf, scanKeys } from '../scan.ts'
import { printable, table } from '../table.ts'

export interface KeysOptions {
  readonly url: string
  readonly namespace: string | undefined
  /** A glob over keys as they are spelled in Redis. */
  readonly pattern: string
  readonly limit: number
  readonly json: boolean
}

/** Lists the entries of a namespace; without one, the namespaces. */
export async function listKeys(console: Console, options: KeysOptions): Promise<number> {
  return withDeployment(options.url, async deployment => {
    await (options.namespace === undefined
      ? listNamespaces(console, deployment, options)
      : listEntries(console, deployment, options.namespace, options))
    return exitCodes.fine
  })
}

const sampledKeys = 2_000

async function listNamespaces(console: Console, deployment: Deployment, { json }: KeysOptions): Promise<void> {
  const samples: KeySample[] = []
  const { reached, missed } = await primariesOf(console, deployment)
  for (const node of reached) samples.push(await sampleKeys(node, sampledKeys, 0))
  const sample: KeySample = {
    keys: samples.flatMap(({ keys }) => keys),
    complete: missed.length === 0 && samples.every(({ complete }) => complete),
    total: samples.reduce((sum, { total }) => sum + total, 0),
  }
  const rows = byNamespace(sample)
  if (json) return console.json({ complete: sample.complete, sampled: sample.keys.length, keys: sample.total, namespaces: rows })
  const cells = rows.map(({ namespace, keys, bytes }) => [
    printable(namespace),
    formatCount(keys),
    bytes === undefined ? '?' : formatBytes(bytes),
  ])
  for (const line of table(
    [{ title: 'NAMESPACE' }, { title: 'KEYS', align: 'right' }, { title: 'MEMORY', align: 'right' }],
    cells,
  ))
    console.line(line)
  if (sample.keys.length < sample.total)
    console.error(`estimated from ${formatCount(sample.keys.length)} of ${plural(sample.total, 'key')}`)
}

async function listEntries(console: Console, deployment: Deployment, namespace: string, options: KeysOptions): Promise<void> {
  const { pattern, limit, json } = options
  const match = `${globOf(`${deployment.keyPrefix}${namespace}:`)}{p[0-9][0-9][0-9][0-9]}:v*:${pattern}`
  const judge = new EntryJudge(deployment, namespace)
  const rows: EntryRow[] = []
  const { reached, missed } = await primariesOf(console, deployment)
  let complete = true
  for (const node of reached) {
    const scanned = await scanKeys(node, { limit: limit - rows.length, match })
    complete &&= scanned.complete
    rows.push(...(await judge.judge(node, scanned.keys)))
    if (rows.length >= limit) break
  }
  if (judge.unasked !== undefined) console.error(`${judge.unasked}; what was cleared or invalidated by a tag is not known`)
  if (json) return console.json({ complete: complete && missed.length === 0, entries: rows })
  const cells = rows.map(({ key, version, freshness, freshMs, keptMs, bytes }) => [
    printable(key),
    String(version),
    freshness === 'fresh' ? `for ${formatMs(freshMs ?? 0)}` : freshness,
    keptMs < 0 ? 'for ever' : `for ${formatMs(keptMs)}`,
    formatBytes(bytes),
  ])
  const columns = [
    { title: 'KEY' },
    { title: 'VERSION', align: 'right' },
    { title: 'FRESH' },
    { title: 'KEPT' },
    { title: 'SIZE', align: 'right' },
  ] as const
  for (const line of table(columns, cells)) console.line(line)
  if (!complete) console.error(`the first ${limit}; --limit gives more`)
}

/** The nodes that answer; of the others it says that they are left out. @throws CliError when none answers */
async function primariesOf(console: Console, deployment: Deployment): Promise<Primaries> {
  const primaries = await deployment.primaries()
  for (const reason of primaries.missed) console.error(`${reason}; its keys are left out`)
  if (primaries.reached.length === 0) throw new CliError(`${deployment.label}: no node of the cluster answers`)
  return primaries
}
