import { exitCodes } from '../cli-error.ts'
import { renderConf } from '../conf/render-conf.ts'
import type { ConfTarget } from '../conf/target.ts'
import type { Console } from '../console.ts'

/** Prints a redis.conf. */
export function conf(console: Console, target: ConfTarget): number {
  console.write(renderConf(target))
  return exitCodes.fine
}
