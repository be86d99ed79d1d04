import { defineConfig, type TestProjectConfiguration, type ViteUserConfig } from 'vitest/config'

interface Group {
  readonly name: string
  /** Groups of one order run beside each other, later ones after them. */
  readonly order: number
  readonly timeoutMs: number
  readonly redis?: boolean
  readonly packed?: boolean
  /** How many files run at once. One by default: most tests need the machine, or its Redis, for themselves. */
  readonly workers?: number
}

function project({ name, order, timeoutMs, redis = false, packed = false, workers = 1 }: Group): TestProjectConfiguration {
  return {
    // What `npm run test:matrix` sets.
    resolve: { alias: process.env['IOREDIS'] === '5' ? [{ find: /^ioredis$/, replacement: 'ioredis5' }] : [] },
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      testTimeout: timeoutMs,
      hookTimeout: Math.max(timeoutMs, 30_000),
      maxWorkers: workers,
      globalSetup: [...(redis ? ['test/shared-redis.ts'] : []), ...(packed ? ['test/package/pack.ts'] : [])],
      sequence: { groupOrder: order },
      restoreMocks: true,
      unstubEnvs: true,
    },
  }
}

const config: ViteUserConfig = defineConfig({
  test: {
    projects: [
      project({ name: 'unit', order: 1, timeoutMs: 5_000, workers: 2 }),
      project({ name: 'contract', order: 1, timeoutMs: 15_000, redis: true, workers: 2 }),
      project({ name: 'property', order: 1, timeoutMs: 60_000, redis: true, workers: 2 }),
      project({ name: 'redis', order: 2, timeoutMs: 15_000, redis: true, workers: 2 }),
      project({ name: 'cluster', order: 2, timeoutMs: 30_000, workers: 2 }),
      project({ name: 'fleet', order: 3, timeoutMs: 90_000, redis: true }),
      project({ name: 'histories', order: 4, timeoutMs: 60_000, redis: true, workers: 2 }),
      project({ name: 'faults', order: 4, timeoutMs: 120_000, workers: 2 }),
      project({ name: 'docs', order: 5, timeoutMs: 60_000, redis: true, workers: 2 }),
      project({ name: 'ops', order: 5, timeoutMs: 60_000, redis: true, workers: 2 }),
      project({ name: 'package', order: 5, timeoutMs: 120_000, packed: true, workers: 2 }),
      // Plays its schedules in processes of its own.
      project({ name: 'simulation', order: 6, timeoutMs: 240_000 }),
      {
        test: {
          name: 'types',
          include: [],
          typecheck: { enabled: true, only: true, include: ['test/types/**/*.test-d.ts'], tsconfig: 'tsconfig.json' },
          sequence: { groupOrder: 7 },
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['src/core/**/*.ts', 'src/redis/**/*.ts'],
      exclude: ['**/*.gen.ts'],
      reporter: ['text', 'html', 'json-summary'],
      thresholds: {
        'src/core/**': { lines: 95, branches: 90 },
        'src/redis/**': { lines: 95, branches: 90 },
      },
    },
  },
})

export default config
