import { defineConfig, type ViteUserConfig } from 'vitest/config'

/**
 * What mutation testing of the engine runs: its specifications under virtual time, all in one context, since importing would take longer than
 * testing. Simulations would kill more mutants, slowly, and say less about why.
 */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/unit/engine/**/*.test.ts', 'test/unit/*.test.ts'],
    exclude: [
      'test/unit/{chaos-store,find-redis,lint-rules,memory-store,planted-bugs,virtual-clock}.test.ts',
      'test/unit/engine/*-simulation.test.ts',
    ],
    isolate: false,
    testTimeout: 5_000,
    restoreMocks: true,
    unstubEnvs: true,
  },
})

export default config
