import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type RedisServer, startRedis } from '../redis-server.ts'
import { npm, run } from './pack.ts'

const fixtures = join(import.meta.dirname, 'fixtures', 'consumer')
const folder = mkdtempSync(join(tmpdir(), 'leasehold-consumer-'))
const { tarball } = inject('packed')

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string; devDependencies: Record<string, string> }
const { devDependencies } = manifest
/** A package at the version we develop with: `ioredis5` is `ioredis` at its 5.x version. */
const spec = (name: string) => `${devDependencies[name]?.replace(/^npm:/, '').replace(/^(?=[\^~\d])/, `${name}@`)}`

/** An empty project that installs our tarball and `packages`. */
function install(name: string, packages: readonly string[]): string {
  const project = join(folder, name)
  cpSync(fixtures, project, { recursive: true })
  writeFileSync(join(project, 'package.json'), '{ "private": true }')
  npm(['install', '--prefer-offline', '--no-package-lock', '--ignore-scripts', tarball, ...packages], project)
  return project
}

/** The command line, without npm's own remarks. */
const leasehold = (project: string, ...args: string[]) => run('npx', ['--no', '--loglevel=error', 'leasehold', ...args], project)

afterAll(() => rmSync(folder, { recursive: true }))

describe('a project that installs the package alone', () => {
  let project = ''
  beforeAll(() => {
    project = install('alone', [])
  })

  it('gets no client that it did not ask for', () => {
    expect(readdirSync(join(project, 'node_modules'))).not.toContain('ioredis')
  })

  it.each(['embedded.mjs', 'embedded.cjs'])('runs %s', file => {
    const stdout = '[{"loads":1},{"loads":1},{"loads":2},true]\n'
    expect(run('node', [file], project)).toEqual({ status: 0, stdout, stderr: '' })
  })

  it('has a command line, whose commands without Redis work', () => {
    const help = leasehold(project, '--help')
    expect(help).toMatchObject({ status: 0, stderr: '' })
    expect(help.stdout).toMatch(/^Usage: leasehold \[options\] \[command\]\n[\s\S]*doctor[\s\S]*Examples:/)
    const version = leasehold(project, '--version')
    expect(version.stdout).toBe(`${manifest.version}\n`)
    const conf = leasehold(project, 'conf', '--role', 'cache', '--memory', '8gb', '--cores', '4')
    expect(conf.stdout).toContain('\nmaxmemory 6144mb\n')
    const stderr = 'leasehold: this command needs the package ioredis: npm install ioredis\n'
    expect(leasehold(project, 'doctor')).toEqual({ status: 2, stdout: '', stderr })
  })
})

describe.each(['ioredis', 'ioredis5'])('a project with %s', client => {
  let project = ''
  let redis: RedisServer
  beforeAll(async () => {
    project = install(client, [client, 'lz4-napi', 'prom-client', '@opentelemetry/api', '@types/node'].map(spec))
    redis = await startRedis()
  })
  afterAll(() => redis.stop())

  it('runs on Redis by import', () => {
    expect(run('node', ['redis.mjs', redis.url, 'shop'], project)).toEqual({ status: 0, stdout: '[1,2]\n', stderr: '' })
  })

  it('runs the doctor', () => {
    const { status, stdout, stderr } = leasehold(project, 'doctor', redis.url, '--json')
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ summary: expect.stringContaining('2 problems') as unknown })
  })

  it('gets every entry point by require', () => {
    expect(run('node', ['redis.cjs'], project)).toEqual({ status: 0, stdout: '[true,true]\n', stderr: '' })
  })

  // Older compilers take seconds each; the client's own version makes no difference to them.
  const compilers = client === 'ioredis' ? ['typescript5', 'typescript6', 'typescript'] : ['typescript']

  it.each(compilers)('compiles with %s', compiler => {
    const tsc = join(process.cwd(), 'node_modules', compiler, 'bin', 'tsc')
    for (const settings of ['tsconfig.nodenext.json', 'tsconfig.bundler.json']) {
      expect(run('node', [tsc, '-p', settings], project)).toEqual({ status: 0, stdout: '', stderr: '' })
    }
  })
})
