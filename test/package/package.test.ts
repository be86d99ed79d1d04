import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import ts from 'typescript5'
import { describe, expect, inject, it } from 'vitest'
import { bin, type Outcome, run } from './pack.ts'

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  exports: Record<string, string | { types: string; default: string }>
}
const packed = inject('packed')

function expectPass({ status, stdout, stderr }: Outcome): void {
  expect(status, `${stdout}${stderr}`).toBe(0)
}

describe('the package', () => {
  it('holds what is built and generated, its pages and nothing else', () => {
    const known =
      /^dist\/.*\.(js|d\.ts)$|^docs\/(runbooks\/)?[a-z-]+\.md$|^docs\/pictures\/[a-z-]+\.svg$|^ops\/\w+\/[a-z-]+(\.rules)?\.(json|yml|conf)$/
    const others = packed.files.filter(file => !known.test(file))
    expect(others).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'])
  })

  it('has the pages that its README leads to', () => {
    const links = [...readFileSync('README.md', 'utf8').matchAll(/\]\((docs\/[\w-]+\.md)/g)].map(([, path]) => path as string)
    expect(links.length).toBeGreaterThan(10)
    expect(packed.files).toEqual(expect.arrayContaining(links))
  })

  it('has the dashboard, the alert rules and the configurations that its pages speak of', () => {
    const shipped = [
      'ops/grafana/leasehold.json',
      'ops/prometheus/leasehold.rules.yml',
      'ops/redis/cache.conf',
      'ops/redis/docker-compose.yml',
      'ops/redis/queue.conf',
    ]
    expect(packed.files.filter(file => file.startsWith('ops/'))).toEqual(shipped)
  })

  it('has the runbooks where the alert rules look for them', () => {
    const rules = readFileSync('ops/prometheus/leasehold.rules.yml', 'utf8')
    const runbooks = [...rules.matchAll(/runbook_url: node_modules\/leasehold\/(\S+)/g)].map(([, path]) => path as string)
    expect(runbooks.length).toBeGreaterThan(10)
    expect(packed.files).toEqual(expect.arrayContaining(runbooks))
  })

  it('has every file that its entry points name', () => {
    const named = Object.values(manifest.exports).flatMap(entry => (typeof entry === 'string' ? [entry] : Object.values(entry)))
    expect(packed.files).toEqual(expect.arrayContaining(named.map(file => file.slice(2))))
  })

  it('passes publint', () => {
    expectPass(run(bin('publint'), ['run', '--strict', packed.tarball]))
  })

  it('has types that resolve for ESM (attw)', () => {
    expectPass(run(bin('attw'), [packed.tarball, '--profile', 'esm-only', '--no-definitely-typed', '--no-emoji']))
  })

  it('has no unused files, exports or dependencies (knip)', () => {
    expectPass(run(bin('knip'), ['--no-progress']))
  })

  it('exports these names', async () => {
    await expect(exportedNames()).toMatchFileSnapshot('exported-names.txt')
  })
})

/** Each entry point's names, types included, with what each is. */
function exportedNames(): string {
  const entries = Object.entries(manifest.exports).flatMap(([name, entry]) =>
    typeof entry === 'string' ? [] : [[name, resolve(entry.types)] as const],
  )
  const program = ts.createProgram({
    rootNames: entries.map(([, file]) => file),
    options: { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, types: ['node'] },
  })
  const checker = program.getTypeChecker()
  return entries
    .map(([name, file]) => {
      const source = program.getSourceFile(file)
      const module = source && checker.getSymbolAtLocation(source)
      if (module === undefined) return `${name}\n  (not a module)\n`
      const names = checker.getExportsOfModule(module).map(symbol => `  ${symbol.name}: ${kindOf(symbol, checker)}`)
      return `${['leasehold', name.slice(2)].filter(Boolean).join('/')}\n${names.toSorted().join('\n')}\n`
    })
    .join('\n')
}

function kindOf(symbol: ts.Symbol, checker: ts.TypeChecker): string {
  const typeOnly = symbol.declarations?.some(at => ts.isExportSpecifier(at) && (at.isTypeOnly || at.parent.parent.isTypeOnly))
  if (typeOnly === true) return 'type'
  const { flags } = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  if (flags & ts.SymbolFlags.Class) return 'class'
  if (flags & ts.SymbolFlags.Function) return 'function'
  if (flags & ts.SymbolFlags.Variable) return 'value'
  return 'type'
}
