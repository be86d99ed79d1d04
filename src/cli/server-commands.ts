import { type Command, Option } from 'commander'
import { memoryArgument, namespaceArgument, versionArgument, wholeNumberArgument } from './arguments.ts'
import { CliError } from './cli-error.ts'
import type { ServerVersion } from './conf/target.ts'
import type { Console } from './console.ts'
import type { Role } from './doctor/facts.ts'
import { type Ended, urlOf, type World } from './world.ts'

const seventh: ServerVersion = { kind: 'redis', major: 7, minor: 2 }

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

export function addDoctor(program: Command, console: Console, world: World, ended: Ended): void {
  program
    .command('doctor')
    .description('Checks a server: settings, memory, latency, rights, keys. Writes nothing.')
    .argument('[url]', 'the server, instead of --url')
    .option('-u, --url <url>', 'the server (default: REDIS_URL)')
    .addOption(new Option('-r, --role <role>', 'what the server is for').choices(['cache', 'queue']).default('cache'))
    .option('-n, --namespace <name>', 'the namespace whose rights are checked (default: those found)', namespaceArgument)
    .option('--user <name>', 'the ACL user whose rights are checked (default: the one of the connection)')
    .option('--samples <number>', 'round trips to time', wholeNumberArgument(1, 10_000), 100)
    .option('--keys <number>', 'keys to sample', wholeNumberArgument(0, 1_000_000), 10_000)
    .option('--write', 'also write, read and delete a key', false)
    .option('--strict', 'exit with 1 for warnings too', false)
    .option('--json', 'print JSON', false)
    .addHelpText(
      'after',
      '\nExamples:\n  $ leasehold doctor\n  $ leasehold doctor redis://cache.internal:6379 --strict   # in CI\n  $ leasehold doctor --role queue --json | jq .summary\n  $ REDIS_URL=redis://admin:…@host:6379 leasehold doctor --user shop --namespace shop',
    )
    .action(async (argument: string | undefined, { url, namespace, user, ...flags }: DoctorFlags) => {
      if (argument !== undefined && url !== undefined) throw new CliError('name one server: as an argument or by --url, not both')
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

export function addConf(program: Command, console: Console, ended: Ended): void {
  program
    .command('conf')
    .description('Prints a redis.conf with the reason for each line.')
    .requiredOption('-m, --memory <size>', 'memory of the machine or container, such as 8gb', memoryArgument)
    .requiredOption('-c, --cores <number>', 'its cores', wholeNumberArgument(1, 1024))
    .addOption(new Option('-r, --role <role>', 'what the server is for').choices(['cache', 'queue']).makeOptionMandatory())
    .addOption(
      new Option('--redis <version>', 'the version of the server: 7.0, 8.0, valkey-8.0')
        .argParser(versionArgument)
        .default(seventh, '7.2'),
    )
    .addOption(new Option('--eviction <policy>', 'of a cache: by frequency or by recency').choices(['lfu', 'lru']).default('lfu'))
    .option('--no-active-defrag', "for servers built without it, such as Debian's")
    .option('--tls', 'encrypted connections only', false)
    .option('-n, --namespace <name>', 'for the ACL rules', namespaceArgument, 'app')
    .addHelpText(
      'after',
      '\nExamples:\n  $ leasehold conf --role cache --memory 8gb --cores 4 > cache.conf\n  $ leasehold conf --role queue --memory 2gb --cores 2 --redis 7.0 --tls\n  $ redis-server cache.conf',
    )
    .action(async ({ memory, redis, ...flags }: ConfFlags, command: Command) => {
      if (flags.role === 'queue' && command.getOptionValueSource('eviction') === 'cli')
        throw new CliError('a queue evicts nothing: --eviction is for --role cache')
      const { conf } = await import('./commands/conf.ts')
      ended(conf(console, { ...flags, memoryBytes: memory, server: redis }))
    })
}

interface TopFlags {
  readonly url?: string
  readonly interval: number
  readonly frames?: number
  readonly json: boolean
}

export function addTop(program: Command, console: Console, ended: Ended): void {
  program
    .command('top')
    .description('Shows a server at work: look-ups, commands, memory, and which keys are loaded and waited for.')
    .option('-u, --url <url>', 'the server (default: REDIS_URL)')
    .option('-i, --interval <seconds>', 'between two frames', wholeNumberArgument(1, 3600), 2)
    .option('--frames <number>', 'end after so many (default: go on until q or Ctrl-C)', wholeNumberArgument(1, 1_000_000))
    .option('--json', 'print a line of JSON for each frame', false)
    .addHelpText(
      'after',
      '\nExamples:\n  $ leasehold top\n  $ leasehold top --interval 5\n  $ leasehold top --frames 2 --json | tail -1 | jq .lookUps   # rates need two frames',
    )
    .action(async ({ url, interval, frames, json }: TopFlags) => {
      const { top } = await import('./commands/top.ts')
      ended(await top(console, { url: urlOf(console, url), intervalSeconds: interval, frames: frames ?? Infinity, json }))
    })
}
