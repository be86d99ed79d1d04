import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { allPages, root, type Page } from './pages.ts'

/** A `ts` block of a page. */
export interface Example {
  /** Tells where it stands: `docs-options-12`. */
  readonly name: string
  readonly code: string
  /** Marked "ts run": it is executed, and prints what its `// → ` comments say. */
  readonly runnable: boolean
}

/** What examples may use without saying where it comes from. */
const surroundings = `
import type { Cache } from 'leasehold'
declare global {
  const cache: Cache
  const id: string
  interface User { id: string; name: string }
  interface Report { rows: number[] }
  const db: {
    user(id: string, options?: { signal?: AbortSignal }): Promise<User>
    updateUser(id: string, change: Partial<User>): Promise<void>
    report(): Promise<Report>
  }
  const server: { close(callback: () => void): void }
}
`

export function examplesOf({ path, text }: Page): Example[] {
  return [...text.matchAll(/^```ts( run)?\n([\s\S]*?)^```$/gm)].map(match => {
    const line = text.slice(0, match.index).split('\n').length
    const name = `${path.replace(/\.md$/, '').replaceAll('/', '-')}-${line}`
    return { name, code: match[2] ?? '', runnable: match[1] !== undefined }
  })
}

/** Blocks that are neither marked as above nor another language would go unchecked. */
export function strayBlocks({ text }: Page): string[] {
  return [...text.matchAll(/^```((?:ts|typescript|js|javascript)\b.*)$/gm)]
    .map(match => match[1] ?? '')
    .filter(info => info !== 'ts' && info !== 'ts run')
}

/** What an example says it prints, line by line. */
export function promisedOutput({ code }: Example): string[] {
  return [...code.matchAll(/\/\/ → (.*)$/gm)].map(match => match[1] ?? '')
}

export interface Workshop {
  readonly folder: string
  readonly examples: readonly Example[]
  remove(): void
}

/** A folder with every example as a file of its own, where the package's names lead to its sources. */
export function openWorkshop(examples: readonly Example[] = allPages().flatMap(examplesOf)): Workshop {
  const folder = mkdtempSync(join(tmpdir(), 'leasehold-docs-'))
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)
  mkdirSync(join(folder, 'node_modules'))
  for (const name of ['ioredis', 'vitest', 'zod', '@types', 'prom-client', '@opentelemetry', 'pino'])
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  write('package.json', '{ "type": "module" }')
  write('surroundings.ts', surroundings)
  for (const { name, code } of examples) write(`${name}.ts`, code)
  write(
    'tsconfig.json',
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: {
        moduleDetection: 'force',
        noUnusedLocals: false,
        noUnusedParameters: false,
        isolatedDeclarations: false,
        declaration: false,
        types: ['node'],
        paths: {
          leasehold: [join(root, 'src/index.ts')],
          'leasehold/redis': [join(root, 'src/redis/index.ts')],
          'leasehold/lz4': [join(root, 'src/codec/lz4.ts')],
          'leasehold/prometheus': [join(root, 'src/observe/prometheus/index.ts')],
          'leasehold/otel': [join(root, 'src/observe/otel/index.ts')],
          'leasehold/log': [join(root, 'src/observe/log/index.ts')],
          'leasehold/testing': [join(root, 'src/testing/index.ts')],
        },
      },
      include: ['*.ts'],
      exclude: [],
    }),
  )
  return { folder, examples, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
