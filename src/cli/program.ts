import { Command } from 'commander'
import type { Console } from './console.ts'
import { addClear, addDelete, addInspect, addInvalidateTags, addKeys, addLintKeys } from './key-commands.ts'
import { addConf, addDoctor, addTop } from './server-commands.ts'
import { defaultUrl, type Ended, type World } from './world.ts'

/**
 * The command line: what there is to say and with what. Each command is imported when it runs, so that those without Redis
 * need no client installed.
 */
export function buildProgram(console: Console, world: World, ended: Ended, version: string): Command {
  const program = new Command('leasehold')
    .description('Looks into and after a Redis that Leasehold caches in.')
    .version(version)
    .helpCommand(false)
    .addHelpText(
      'after',
      `\nExamples:\n  $ leasehold doctor\n  $ leasehold conf --role cache --memory 8gb --cores 4\n  $ leasehold inspect user:1 --namespace shop\n\nREDIS_URL is used where no --url is given, and ${defaultUrl} without both. A client's key prefix goes into the URL:\nredis://host:6379/0?keyPrefix=app:\n\nExit codes: 0 fine, 1 something was found, 2 the command failed.`,
    )
  addDoctor(program, console, world, ended)
  addConf(program, console, ended)
  addTop(program, console, ended)
  addInspect(program, console, ended)
  addKeys(program, console, ended)
  addDelete(program, console, ended)
  addInvalidateTags(program, console, ended)
  addClear(program, console, ended)
  addLintKeys(program, console, ended)
  return program
}
