import type { Console } from './console.ts'

export const defaultUrl = 'redis://127.0.0.1:6379'

/** What a command needs of the world besides the console. Tests bring their own clock. */
export interface World {
  readonly wallNow: () => number
}

/** Tells the exit code of the command that ran. */
export type Ended = (exitCode: number) => void

/** The URL given, `REDIS_URL` or the default; whatever it is, its password is not printed from now on. */
export function urlOf(console: Console, given: string | undefined): string {
  const url = given ?? (console.streams.env['REDIS_URL'] || defaultUrl)
  console.secrets.keepUrl(url)
  return url
}
