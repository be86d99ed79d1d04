import { CommanderError } from 'commander'
import { isLeaseholdError } from '../index.ts'
import { commandFailure, replyCode } from '../redis/failures.ts'
import { CliError, exitCodes } from './cli-error.ts'
import { Console, type Streams } from './console.ts'
import { buildProgram } from './program.ts'
import type { World } from './world.ts'

/**
 * Runs one command line.
 *
 * @param args what follows the program's name
 * @returns the exit code: 0 fine, 1 something was found, 2 the command failed
 */
export async function run(args: readonly string[], streams: Streams, world: World, version: string): Promise<number> {
  const console = new Console(streams)
  for (const text of [streams.env['REDIS_URL'] ?? '', ...args]) console.secrets.keepUrl(text)
  let exitCode: number = exitCodes.fine
  const program = buildProgram(console, world, code => (exitCode = code), version)
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .configureOutput({ writeOut: text => console.write(text), writeErr: text => console.error(text.trimEnd()) })
      .showHelpAfterError('(--help tells more)')
  }
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (error) {
    // Commander has printed its own.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.fine : exitCodes.failed
    console.error(`leasehold: ${messageOf(error)}`)
    return error instanceof CliError ? error.exitCode : exitCodes.failed
  }
}

/** No stack trace, and of errors that are not ours no more than their first line. */
function messageOf(error: unknown): string {
  if (error instanceof CliError || isLeaseholdError(error)) return error.message
  if (isMissingClient(error)) return 'this command needs the package ioredis: npm install ioredis'
  // Redis repeats arguments in what it says.
  if (replyCode(error) !== '') return commandFailure('a command', error).message
  return error instanceof Error ? (error.message.split('\n', 1)[0] ?? error.name) : 'unknown failure'
}

function isMissingClient(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND' && error.message.includes("'ioredis'")
}
