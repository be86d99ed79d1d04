import { run } from '../src/cli/run.ts'

export interface CliOutcome {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface CliSetting {
  readonly env?: Readonly<Record<string, string>>
  /** This machine's clock. */
  readonly wallNow?: () => number
}

/** Runs one command line in this process, where no terminal is. */
export async function runCli(args: readonly string[], setting: CliSetting = {}): Promise<CliOutcome> {
  const said = { stdout: '', stderr: '' }
  const sink = (name: 'stdout' | 'stderr'): NodeJS.WriteStream =>
    ({ isTTY: false, write: (text: string) => void (said[name] += text) }) as unknown as NodeJS.WriteStream
  const stdin = { isTTY: false } as NodeJS.ReadStream
  const streams = { stdin, stdout: sink('stdout'), stderr: sink('stderr'), env: setting.env ?? {} }
  const exitCode = await run(args, streams, { wallNow: setting.wallNow ?? (() => Date.now()) }, '0.0.0')
  return { exitCode, ...said }
}
