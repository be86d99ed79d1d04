import { Registry } from 'prom-client'
import { startMetricsServer } from '../../../src/observe/prometheus/index.ts'

const { url } = await startMetricsServer({ port: 0, registry: new Registry() })
// Only its parent keeps it alive, until that lets go.
process.on('message', () => {})
process.send?.(url)
