import { installPackage, isDebian, onPath, type Env } from './programs.ts'

/** What the tests of the alert rules and the dashboard need. `advice` is one line that says what to install. */
export type FoundPrometheus =
  | { readonly kind: 'found'; readonly promtool: string; readonly prometheus: string }
  | { readonly kind: 'none'; readonly advice: string }

export interface PrometheusSearch {
  readonly env?: Env
  /** Whether Debian's package may be installed. Default: if we are root. */
  readonly mayInstall?: boolean
  readonly osReleaseFile?: string
  /** Told before something slow begins. */
  readonly say?: (line: string) => void
}

const install = 'install Prometheus, so that promtool and prometheus are on PATH'

/** promtool and prometheus on PATH, else Debian's package, installed when we may. */
export async function findPrometheus(search: PrometheusSearch = {}): Promise<FoundPrometheus> {
  const { env = process.env, mayInstall = process.getuid?.() === 0, osReleaseFile, say } = search
  const present = await findOnPath(env)
  if (present !== undefined) return present
  if (!mayInstall || !(await isDebian(osReleaseFile)) || (await onPath('apt-get', env)).length === 0)
    return { kind: 'none', advice: `No Prometheus found: ${install}.` }
  say?.('No Prometheus found: installing it with apt-get ...')
  const failure = await installPackage('prometheus', env)
  if (failure !== undefined)
    return { kind: 'none', advice: `No Prometheus found, and apt-get could not install one (${failure}): ${install}.` }
  return (await findOnPath(env)) ?? { kind: 'none', advice: `No Prometheus found after installing it: ${install}.` }
}

async function findOnPath(env: Env): Promise<FoundPrometheus | undefined> {
  const [[promtool], [prometheus]] = await Promise.all([onPath('promtool', env), onPath('prometheus', env)])
  return promtool === undefined || prometheus === undefined ? undefined : { kind: 'found', promtool, prometheus }
}
