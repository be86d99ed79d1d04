import { execFile } from 'node:child_process'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CliOutcome, runCli } from '../../cli-run.ts'
import { type RedisServer, startRedis } from '../../redis-server.ts'
import { RewritingProxy } from '../../rewriting-proxy.ts'
import { Terminal } from '../../terminal.ts'
import { until } from '../fixture.ts'

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

/** As a process of its own, where warnings of the process and of libraries would be printed. */
function asProcess(args: readonly string[], url: string): Promise<CliOutcome> {
  const command = ['--import', 'tsx', 'src/cli/main.ts', ...args]
  return new Promise(resolve => {
    execFile(process.execPath, command, { env: { ...process.env, REDIS_URL: url } }, (error, stdout, stderr) =>
      resolve({ exitCode: Number(error?.code ?? 0), stdout, stderr }),
    )
  })
}

describe('what goes wrong', () => {
  it('is one line that names the server, where Redis refuses', { timeout: 60_000 }, async () => {
    const admin = new Redis(server.url)
    await admin.call('ACL', 'SETUSER', 'poor', 'reset', 'on', '>sentinel-password', '+ping')
    admin.disconnect()
    const poor = server.url.replace('//', '//poor:sentinel-password@')
    const commands = [
      ['delete', 'a', '-n', 'shop'],
      ['clear', '-n', 'shop', '--yes'],
      ['invalidate-tags', 't', '-n', 'shop'],
    ]
    const outcomes = await Promise.all(commands.map(args => asProcess(args, poor)))
    for (const { exitCode, stdout, stderr } of outcomes) {
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
      expect(stderr).toMatch(new RegExp(`^leasehold: 127\\.0\\.0\\.1:${server.port}: Redis refused [^\\n]*NOPERM[^\\n]*\\n$`))
    }
    const [probed, open] = await Promise.all([
      asProcess(['doctor', '--write', '--samples', '1'], poor),
      // The client library has something to say of a password that is not asked for.
      asProcess(['keys'], server.url.replace('//', '//:sentinel-password@')),
    ])
    expect({ stderr: probed.stderr, exitCode: probed.exitCode }).toEqual({ stderr: '', exitCode: 1 })
    expect({ stderr: open.stderr, exitCode: open.exitCode }).toEqual({ stderr: '', exitCode: 0 })
  })

  it('is named by keys when Redis stops answering in the middle', { timeout: 30_000 }, async () => {
    const stuck = await RewritingProxy.start(server.port, { request: text => (/\bscan\b/i.test(text) ? undefined : text) })
    const { port, url } = stuck
    const { exitCode, stderr } = await runCli(['keys', '-n', 'shop', '--url', url])
    await stuck.stop()
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(new RegExp(`^leasehold: 127\\.0\\.0\\.1:${port}: Redis stopped answering; [^\\n]+\\n$`))
  })

  it('is named by top when the connection is lost', { timeout: 30_000 }, async () => {
    const own = await startRedis()
    const terminal = new Terminal(100, 30)
    const ended = terminal.run(['top', '--interval', '1'], { REDIS_URL: own.url })
    await until(() => terminal.screens.length >= 1)
    await own.stop()
    expect(await ended).toBe(2)
    expect(terminal.output).toContain(`leasehold: 127.0.0.1:${own.port}: the connection to Redis was lost; see that it runs`)
  })
})
