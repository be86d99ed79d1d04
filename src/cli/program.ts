import { Command, Option } from 'commander'
import type { ServerVersion } from './conf/target.ts'
import type { Console } from './console.ts'
import type { Role } from './doctor/facts.ts'
import { memoryArgument, namespaceArgument, versionArgument, wholeNumberArgument } from './arguments.ts'

const defaultUrl = 'redis://127.0.0.1:6379'
const seventh: ServerVersion = { kind: 'redis', major: 7, minor: 2 }

/** What a command needs of the world besides the console. Tests bring their own clock. */
export interface World {
  readonly wallNow: () => number
}

/** Tells the exit code of the command that ran. */
type Ended = (exitCode: number) => void

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
  return program
}

/** `REDIS_URL` or the default; whatever it is, its password is not printed from now on. */
export function urlOf(console: Console, given: string | undefined): string {
  const url = given ?? (console.streams.env['REDIS_URL'] || defaultUrl)
  console.secrets.keepUrl(url)
  return url
}

interface DoctorFlags {
  readonly url?: string
  readonly role: Role
  readonly namespace?: string
  readonly user?: string
  readonly samples: number
  readonly keys: number
  readonly write: boolean
  readonly strict: boolean
  readonly json: boolean
}

function addDoctor(program: Command, console: Console, world: World, ended: Ended): void {
  program
    .command('doctor')
    .description('Checks a server: settings, memory, latency, rights, keys. Writes nothing.')
    .argument('[url]', 'the server, instead of --url')
    .option('-u, --url <url>', 'the server (default: REDIS_URL)')
    .addOption(new Option('-r, --role <role>', 'what the server is for').choices(['cache', 'queue']).default('cache'))
    .option('-n, --namespace <name>', 'the namespace whose rights are checked (default: those found)', namespaceArgument)
    .option('--user <name>', 'the ACL user whose rights are checked (default: the one of the connection)')
    .option('--samples <number>', 'round trips to time', wholeNumberArgument(1, 10_000), 100)
    .option('--keys <number>', 'keys to sample', wholeNumberArgument(0, 1_000_000), 2_000)
    .option('--write', 'also write, read and delete a key', false)
    .option('--strict', 'exit with 1 for warnings too', false)
    .option('--json', 'print JSON', false)
    .addHelpText(
      'after',
      '\nExamples:\n  $ leasehold doctor\n  $ leasehold doctor redis://cache.internal:6379 --strict   # in CI\n  $ leasehold doctor --role queue --json | jq .summary\n  $ REDIS_URL=redis://admin:…@host:6379 leasehold doctor --user shop --namespace shop',
    )
    .action(async (argument: string | undefined, { url, namespace, user, ...flags }: DoctorFlags) => {
      const { doctor } = await import('./commands/doctor.ts')
      ended(await doctor(console, { ...flags, namespace, user, url: urlOf(console, argument ?? url), wallNow: world.wallNow }))
    })
}

interface ConfFlags {
  readonly role: Role
  readonly memory: number
  readonly cores: number
  readonly redis: ServerVersion
  readonly eviction: 'lfu' | 'lru'
  readonly activeDefrag: boolean
  readonly tls: boolean
  readonly namespace: string
}

function addConf(program: Command, console: Console, ended: Ended): void {
  program
    .command('conf')
    .description('Prints a redis.conf with the reason for each line.')
    .requiredOption('-m, --memory <size>', 'memory of the machine or container, such as 8gb', memoryArgument)
    .requiredOption('-c, --cores <number>', 'its cores', wholeNumberArgument(1, 1024))
    .addOption(new Option('-r, --role <role>', 'what the server is for').choices(['cache', 'queue']).makeOptionMandatory())
    .option('--redis <version>', 'the version of the server: 7.0, 8.0, valkey-8.0', versionArgument, seventh)
    .addOption(new Option('--eviction <policy>', 'of a cache: by frequency or by recency').choices(['lfu', 'lru']).default('lfu'))
    .option('--no-active-defrag', "for servers built without it, such as Debian's")
    .option('--tls', 'encrypted connections only', false)
    .option('-n, --namespace <name>', 'for the ACL rules', namespaceArgument, 'app')
    .addHelpText(
      'after',
      '\nExamples:\n  $ leasehold conf --role cache --memory 8gb --cores 4 > cache.conf\n  $ leasehold conf --role queue --memory 2gb --cores 2 --redis 7.0 --tls\n  $ redis-server cache.conf',
    )
    .action(async ({ memory, redis, ...flags }: ConfFlags) => {
      const { conf } = await import('./commands/conf.ts')
      ended(conf(console, { ...flags, memoryBytes: memory, server: redis }))
    })
}
