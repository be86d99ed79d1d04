import { relative } from 'node:path'
import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** A mutant is dead at the first failure: who killed the last one goes first, and then whoever is quick. */
class KillersFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { cache, config } = this.ctx
    const weight = ({ moduleId, project }: TestSpecification): number => {
      const last = cache.getFileTestResults(`${project.name}:${relative(config.root, moduleId)}`)
      return last === undefined || last.failed ? 0 : last.duration
    }
    return files.toSorted((one, other) => weight(one) - weight(other))
  }
}

/**
 * What mutation testing of the engine runs: its specifications under virtual time, all in one context, since importing would take longer than
 * testing. Simulations would kill more mutants, slowly, and say less about why.
 */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/unit/**/*.test.ts'],
    exclude: [
      'test/unit/{codec,histories,lab,observe,redis}/**',
      'test/unit/{chaos-store,find-redis,lint-rules,memory-store,planted-bugs,virtual-clock}.test.ts',
      'test/unit/engine/*-simulation.test.ts',
    ],
    isolate: false,
    sequence: { sequencer: KillersFirst },
    testTimeout: 5_000,
    restoreMocks: true,
    unstubEnvs: true,
  },
})

export default config
