import type { CheckedFinding } from '../../../src/cli/doctor/finding.ts'
import { type CliSetting, runCli } from '../../cli-run.ts'

export interface Diagnosis {
  readonly exitCode: number
  readonly findings: readonly CheckedFinding[]
  /** What the check of that name found. */
  of(check: string): CheckedFinding
  /** The checks that found something bad. */
  readonly bad: readonly string[]
}

/** What the doctor says of a server. */
export async function diagnose(url: string, args: readonly string[] = [], setting: CliSetting = {}): Promise<Diagnosis> {
  const { exitCode, stdout, stderr } = await runCli(['doctor', url, '--json', ...args], setting)
  if (stderr !== '') throw new Error(stderr)
  const { findings } = JSON.parse(stdout) as { findings: CheckedFinding[] }
  return {
    exitCode,
    findings,
    of: check => {
      const found = findings.find(finding => finding.check === check)
      if (found === undefined) throw new Error(`the doctor has no check "${check}" here`)
      return found
    },
    bad: findings.filter(({ state }) => state === 'warning' || state === 'problem').map(({ check }) => check),
  }
}
