import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'

const wrongWay: [folder: string, text: string][] = [
  ['src/core/', "export { x } from '../redis/keys.ts'"],
  ['src/core/', "export { x } from '../memory/store.ts'"],
  ['src/core/', "export type { X } from '../codec/header.ts'"],
  ['src/core/', "export { x } from '../index.ts'"],
  ['src/core/', "export { x } from '../create-cache.ts'"],
  ['src/core/', "export { x } from 'lru-cache'"],
  ['src/core/', "export type { X } from 'ioredis'"],
  ['src/core/', "export { x } from 'msgpackr'"],
  ['src/core/', "export const x = () => import('../redis/keys.ts')"],
  ['src/core/deep/', "export { x } from '../../redis/keys.ts'"],
  ['src/codec/', "export { x } from '../redis/keys.ts'"],
  ['src/codec/', "export { x } from 'ioredis'"],
  ['src/redis/', "export { x } from '../codec/msgpack.ts'"],
  ['src/redis/', "export { x } from '../memory/store.ts'"],
  ['src/redis/', "export { x } from '../index.ts'"],
  ['src/memory/', "export { x } from '../redis/keys.ts'"],
  ['src/memory/', "export { x } from 'ioredis'"],
  ['src/testing/', "export { x } from '../redis/keys.ts'"],
  ['src/observe/', "export { x } from '../memory/store.ts'"],
]
const rightWay: [folder: string, text: string][] = [
  ['src/core/', "export { x } from './y.ts'"],
  ['src/core/', "export { randomBytes } from 'node:crypto'"],
  ['src/codec/', "export { x } from '../core/ports.ts'"],
  ['src/codec/', "export { x } from 'msgpackr'"],
  ['src/redis/', "export { x } from '../codec/header.ts'"],
  ['src/redis/', "export { x } from 'ioredis'"],
  ['src/memory/', "export { x } from '../codec/header.ts'"],
  ['src/memory/', "export { x } from '../core/ports.ts'"],
  ['src/testing/index.ts', "export { x } from '../memory/store.ts'"],
  ['src/create-cache.ts', "export { x } from './memory/store.ts'"],
]
const careless: [rule: string, text: string][] = [
  ['no-floating-promises', 'export function x(): void { Promise.reject(new Error()) }'],
  ['no-misused-promises', 'export const x = (): void => { [1].forEach(async () => { await null }) }'],
  ['no-explicit-any', 'export type X = any'],
  ['no-console', "export function x(): void { console.log('x') }"],
]

// All files in one run, since starting the type-aware linter is what takes the time.
const findings = new Map<string, string>()
const fileOf = (path: string, text: string) =>
  path.endsWith('/') ? `${path}${createHash('md5').update(text).digest('hex')}.ts` : path

beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'lint-rules-'))
  for (const file of ['.oxlintrc.json', 'tsconfig.json']) cpSync(file, join(folder, file))
  symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'))
  for (const [path, text] of [...wrongWay, ...rightWay, ...careless.map(([, code]) => ['src/core/', code] as const)]) {
    const file = join(folder, fileOf(path, text))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${text}\n`)
  }
  const { stdout } = spawnSync(join('node_modules', '.bin', 'oxlint'), ['-f', 'unix', 'src'], { cwd: folder, encoding: 'utf8' })
  rmSync(folder, { recursive: true })
  for (const line of stdout.split('\n')) {
    const [file = ''] = line.split(':')
    findings.set(file, `${findings.get(file) ?? ''}${line}\n`)
  }
})

describe('lint', () => {
  it.each(wrongWay)('refuses in %s: %s', (path, text) => {
    expect(findings.get(fileOf(path, text))).toContain('no-restricted-imports')
  })

  it.each(rightWay)('allows in %s: %s', (path, text) => {
    expect(findings.get(fileOf(path, text))).toBeUndefined()
  })

  it.each(careless)('refuses what %s names', (rule, text) => {
    expect(findings.get(fileOf('src/core/', text))).toContain(rule)
  })
})
