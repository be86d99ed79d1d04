import { randomBytes } from 'node:crypto'
import { createCache, isLeaseholdError } from '../../index.ts'
import { redisStore } from '../../redis/index.ts'
import { exitCodes } from '../cli-error.ts'
import type { Console } from '../console.ts'
import { type Deployment, openDeployment } from '../deployment.ts'
import { diagnose } from '../doctor/diagnose.ts'
import type { Facts, Role, WriteProbe } from '../doctor/facts.ts'
import type { CheckedFinding } from '../doctor/finding.ts'
import { gatherFacts } from '../doctor/gather-facts.ts'
import { printReport, summary } from '../doctor/report.ts'

export interface DoctorOptions {
  readonly url: string
  readonly role: Role
  readonly namespace: string | undefined
  readonly user: string | undefined
  readonly samples: number
  readonly keys: number
  readonly write: boolean
  readonly strict: boolean
  readonly json: boolean
  readonly wallNow: () => number
}

const restartLine = '\r\u001B[2K'

/** Prints what it finds. @returns the exit code: 1 when there is a problem (with `strict` also for a warning) */
export async function doctor(console: Console, options: DoctorOptions): Promise<number> {
  const deployment = await openDeployment(options.url)
  const { stderr } = console.streams
  const live = stderr.isTTY && !options.json
  const say = (doing: string): void => void (live && stderr.write(`${restartLine}${doing} ...`))
  try {
    const { keyPrefix, database, label } = deployment
    const gathered = await gatherFacts(deployment.node, { ...options, keyPrefix, database, say })
    const facts: Facts = {
      ...gathered,
      writeProbe: options.write && gathered.interruption === undefined ? await probe(deployment, options.namespace) : undefined,
    }
    if (live) stderr.write(restartLine)
    const findings = diagnose(facts)
    const server = facts.info.server
    if (options.json) console.json({ server: label, version: server, role: options.role, summary: summary(findings), findings })
    else printReport(console, label, `${server}, as a ${options.role}`, findings)
    return exitCodeOf(findings, options.strict)
  } finally {
    deployment.close()
  }
}

function exitCodeOf(findings: readonly CheckedFinding[], strict: boolean): number {
  const bad = findings.some(({ state }) => state === 'problem' || (strict && state === 'warning'))
  return bad ? exitCodes.found : exitCodes.fine
}

/** Does what an application does, with a key of its own. */
async function probe({ storeTarget }: Deployment, namespace = 'leasehold-doctor'): Promise<WriteProbe> {
  const cache = createCache({ namespace, store: redisStore(storeTarget), commandTimeout: '5s', storeBudget: '10s' })
  const key = `leasehold-doctor:${randomBytes(8).toString('hex')}`
  try {
    await cache.set(key, key, { ttl: '1m' })
    const read = await cache.get(key)
    const deleted: unknown = await cache.delete(key)
    if (deleted === 'deferred') return { outcome: 'failed', reason: 'Redis did not answer in time' }
    return read === key ? { outcome: 'works' } : { outcome: 'failed', reason: 'what was written could not be read' }
  } catch (error) {
    if (!isLeaseholdError(error)) throw error
    return { outcome: 'failed', reason: error.message }
  } finally {
    await cache.close()
  }
}
