import { exitCodes } from '../cli-error.ts'
import type { Console } from '../console.ts'
import { withDeployment } from '../deployment.ts'
import { diagnose } from '../doctor/diagnose.ts'
import type { Facts, Role } from '../doctor/facts.ts'
import type { CheckedFinding } from '../doctor/finding.ts'
import { gatherFacts } from '../doctor/gather-facts.ts'
import { printReport, summary } from '../doctor/report.ts'
import { probe } from '../doctor/write-probe.ts'

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
  const { stderr } = console.streams
  const live = stderr.isTTY && !options.json
  const say = (doing: string): void => void (live && stderr.write(`${restartLine}${doing} ...`))
  return withDeployment(options.url, async deployment => {
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
  })
}

function exitCodeOf(findings: readonly CheckedFinding[], strict: boolean): number {
  const bad = findings.some(({ state }) => state === 'problem' || (strict && state === 'warning'))
  return bad ? exitCodes.found : exitCodes.fine
}
