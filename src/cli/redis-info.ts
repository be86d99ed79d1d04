/** What INFO says. Fields that a server does not know are undefined. */
export class RedisInfo {
  readonly #fields: ReadonlyMap<string, string>

  constructor(text: string) {
    const lines = text.split(/\r?\n/).filter(line => line !== '' && !line.startsWith('#'))
    this.#fields = new Map(
      lines.map(line => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon), line.slice(colon + 1)]
      }),
    )
  }

  text(name: string): string | undefined {
    return this.#fields.get(name)
  }

  number(name: string): number | undefined {
    const text = this.#fields.get(name)
    const value = Number(text)
    return text === undefined || text === '' || Number.isNaN(value) ? undefined : value
  }

  /** The parts of a field such as `ip=127.0.0.1,lag=0`. */
  parts(name: string): ReadonlyMap<string, string> | undefined {
    const text = this.#fields.get(name)
    if (text === undefined) return undefined
    return new Map(text.split(',').map(part => part.split('=', 2) as [string, string]))
  }

  /** Names of the fields that begin with `prefix`. */
  names(prefix: string): string[] {
    return [...this.#fields.keys()].filter(name => name.startsWith(prefix))
  }

  /** Keys of all databases. */
  get keys(): number {
    return this.names('db').reduce((sum, name) => sum + Number(this.parts(name)?.get('keys') ?? 0), 0)
  }

  /** `Redis 7.0.15`, `Valkey 8.0.1`. */
  get server(): string {
    const valkey = this.text('valkey_version')
    return valkey === undefined ? `Redis ${this.text('redis_version') ?? 'of unknown version'}` : `Valkey ${valkey}`
  }
}
