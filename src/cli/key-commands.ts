import { type Command, Option } from 'commander'
import { namespaceArgument, wholeNumberArgument } from './arguments.ts'
import { CliError } from './cli-error.ts'
import type { Console } from './console.ts'
import { type Ended, urlOf } from './world.ts'

interface KeyFlags {
  readonly url?: string
  readonly namespace: string
  readonly keyVersion: number
  readonly maxKeyBytes: number
  readonly showValue: boolean
  readonly json: boolean
}

const versionOption = (): Option =>
  new Option('--key-version <number>', 'version of the key').argParser(wholeNumberArgument(0, 65_535)).default(0)

export function addInspect(program: Command, console: Console, ended: Ended): void {
  program
    .command('inspect')
    .description('Shows an entry and its lease; the value only when asked.')
    .argument('<key>', 'the key, as the application spells it')
    .requiredOption('-n, --namespace <name>', 'namespace of the cache', namespaceArgument)
    .option('-u, --url <url>', 'the server (default: REDIS_URL)')
    .addOption(versionOption())
    .option('--max-key-bytes <number>', 'maxKeyBytes of the cache', wholeNumberArgument(64, 4096), 512)
    .option('--show-value', 'show the value', false)
    .option('--json', 'print JSON', false)
    .addHelpText(
      'after',
      '\nExamples:\n  $ leasehold inspect user:1 --namespace shop\n  $ leasehold inspect user:1 -n shop --key-version 2 --show-value\n  $ leasehold inspect user:1 -n shop --json | jq .entry.freshMs\n\nExits with 1 when there is neither an entry nor a lease, or the entry cannot be read.',
    )
    .action(async (key: string, { keyVersion, url, ...flags }: KeyFlags) => {
      const { inspectKey } = await import('./commands/inspect.ts')
      ended(await inspectKey(console, { ...flags, key, version: keyVersion, url: urlOf(console, url) }))
    })
}

interface KeysFlags {
  readonly url?: string
  readonly namespace?: string
  readonly limit: number
  readonly json: boolean
}

export function addKeys(program: Command, console: Console, ended: Ended): void {
  program
    .command('keys')
    .description('Lists the entries of a namespace; without one, the namespaces. Uses SCAN.')
    .argument('[pattern]', 'of keys as they are spelled in Redis, with * and ?; needs --namespace')
    .option('-n, --namespace <name>', 'namespace of the cache', namespaceArgument)
    .option('-u, --url <url>', 'the server (default: REDIS_URL)')
    .option('--limit <number>', 'how many', wholeNumberArgument(1, 1_000_000), 100)
    .option('--json', 'print JSON', false)
    .addHelpText(
      'after',
      "\nExamples:\n  $ leasehold keys\n  $ leasehold keys --namespace shop\n  $ leasehold keys 'user:*' -n shop --limit 1000 --json | jq -r '.entries[].key'",
    )
    .action(async (pattern: string | undefined, { url, namespace, ...flags }: KeysFlags) => {
      if (pattern !== undefined && namespace === undefined)
        throw new CliError('a pattern is looked for in a namespace: name it with --namespace')
      const { listKeys } = await import('./commands/keys.ts')
      ended(await listKeys(console, { ...flags, pattern: pattern ?? '*', namespace, url: urlOf(console, url) }))
    })
}

export function addDelete(program: Command, console: Console, ended: Ended): void {
  program
    .command('delete')
    .description('Deletes keys as the application does: running loads of them are not stored.')
    .argument('<keys...>', 'keys, as the application spells them')
    .requiredOption('-n, --namespace <name>', 'namespace of the cache', namespaceArgument)
    .option('-u, --url <url>', 'the server (default: REDIS_URL)')
    .addOption(versionOption())
    .addHelpText(
      'after',
      '\nExamples:\n  $ leasehold delete user:1 --namespace shop\n  $ leasehold delete user:1 user:2 -n shop --key-version 3',
    )
    .action(async (keys: string[], { namespace, keyVersion, url }: KeyFlags) => {
      const { deleteKeys } = await import('./commands/delete.ts')
      ended(await deleteKeys(console, { namespace, keys, version: keyVersion, url: urlOf(console, url) }))
    })
}

interface NamespaceFlags {
  readonly url?: string
  readonly namespace: string
  readonly yes: boolean
}

export function addInvalidateTags(program: Command, console: Console, ended: Ended): void {
  program
    .command('invalidate-tags')
    .description('Invalidates everything that was stored with one of these tags, as the application does.')
    .argument('<tags...>', 'tags')
    .requiredOption('-n, --namespace <name>', 'namespace of the cache', namespaceArgument)
    .option('-u, --url <url>', 'the server (default: REDIS_URL)')
    .addHelpText(
      'after',
      '\nExamples:\n  $ leasehold invalidate-tags team:42 --namespace shop\n  $ leasehold invalidate-tags team:42 plan:pro -n shop',
    )
    .action(async (tags: string[], { namespace, url }: NamespaceFlags) => {
      const { invalidateTags } = await import('./commands/invalidate-tags.ts')
      ended(await invalidateTags(console, { namespace, tags, url: urlOf(console, url) }))
    })
}

export function addClear(program: Command, console: Console, ended: Ended): void {
  program
    .command('clear')
    .description('Invalidates everything in a namespace, as the application does. Asks first.')
    .requiredOption('-n, --namespace <name>', 'namespace of the cache', namespaceArgument)
    .option('-u, --url <url>', 'the server (default: REDIS_URL)')
    .option('-y, --yes', 'do not ask', false)
    .addHelpText('after', '\nExamples:\n  $ leasehold clear --namespace shop\n  $ leasehold clear -n shop --yes   # in a script')
    .action(async ({ namespace, url, yes }: NamespaceFlags) => {
      const { clear } = await import('./commands/clear.ts')
      ended(await clear(console, { namespace, yes, url: urlOf(console, url) }))
    })
}

interface LintKeysFlags {
  readonly keys?: string
  readonly json: boolean
}

export function addLintKeys(program: Command, console: Console, ended: Ended): void {
  program
    .command('lint-keys')
    .description('Checks the key definitions of source code, and keys that it writes by hand. Needs no Redis.')
    .argument('[paths...]', 'files and folders')
    .option('--keys <file>', 'also check a list of keys, one in each line; - is standard input')
    .option('--json', 'print JSON', false)
    .addHelpText(
      'after',
      "\nExamples:\n  $ leasehold lint-keys src\n  $ leasehold keys -n shop --json | jq -r '.entries[].key' | leasehold lint-keys --keys -\n\nExits with 1 when a rule is broken.",
    )
    .action(async (paths: string[], { keys, json }: LintKeysFlags) => {
      if (paths.length === 0 && keys === undefined) throw new CliError('name the files or folders to check, such as src')
      const { lintKeys } = await import('./commands/lint-keys.ts')
      ended(lintKeys(console, { paths, keys, json }))
    })
}
