import type { Row } from './measured.ts'
import { clusterRows } from './rows/cluster.ts'
import { loaderRows } from './rows/loader.ts'
import { networkRows } from './rows/network.ts'
import { processRows } from './rows/process.ts'
import { redisRows } from './rows/redis.ts'

/** Every fault that is tried on the real thing. */
export const rows: readonly Row[] = [...redisRows, ...networkRows, ...processRows, ...loaderRows, ...clusterRows]
