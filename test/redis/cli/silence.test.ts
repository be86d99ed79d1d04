import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCli } from '../../cli-run.ts'
import { type RedisServer, startRedis } from '../../redis-server.ts'
import { Terminal } from '../../terminal.ts'
import { until } from '../fixture.ts'

let server: RedisServer
beforeEach(async () => {
  server = await startRedis({ args: ['--maxclients', '10'] })
})
afterEach(async () => server.stop())

const commands = [['doctor'], ['keys', '-n', 'shop']]

describe('a server that takes connections and says nothing', () => {
  it.each(commands)('is called that by %s', { timeout: 20_000 }, async (...args) => {
    process.kill(server.pid, 'SIGSTOP')
    const { exitCode, stderr } = await runCli(args, { env: { REDIS_URL: server.url } })
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: `leasehold: 127.0.0.1:${server.port}: connected, but Redis does not answer within 5 s\n`,
    })
  })
})

describe('top and a server that stops answering', () => {
  it('goes on, says so, and shows it again when it is back', { timeout: 40_000 }, async () => {
    const terminal = new Terminal(0, 0)
    const ended = terminal.run(['top', '--interval', '1'], { REDIS_URL: server.url })
    await until(() => terminal.screens.length >= 1)
    expect(terminal.screens[0]).toContain('RESOURCE')
    process.kill(server.pid, 'SIGSTOP')
    await expect.poll(() => terminal.screens.at(-1), { timeout: 15_000 }).toMatch(/Redis does not answer, for \d/)
    process.kill(server.pid, 'SIGCONT')
    await expect.poll(() => terminal.screens.at(-1), { timeout: 15_000 }).toContain('RESOURCE')
    process.kill(server.pid, 'SIGSTOP')
    terminal.press('q')
    expect(await ended).toBe(0)
  })
})

describe('a server that refuses', () => {
  it('because all its connections are taken, is said to be full', async () => {
    const clients = Array.from({ length: 10 }, () => new Redis(server.url))
    await Promise.all(clients.map(client => client.ping()))
    for (const args of commands) {
      const { exitCode, stderr } = await runCli(args, { env: { REDIS_URL: server.url } })
      expect({ exitCode, stderr }).toEqual({
        exitCode: 2,
        stderr: `leasehold: 127.0.0.1:${server.port}: Redis has no free connection: as many clients as maxclients allows are connected\n`,
      })
    }
    for (const client of clients) client.disconnect()
  })

  it('because it does not speak TLS, is said to want redis://', { timeout: 20_000 }, async () => {
    const { exitCode, stderr } = await runCli(['doctor', server.url.replace('redis:', 'rediss:')])
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/; rediss:\/\/ needs a port that speaks TLS, and redis:\/\/ is for one without\n$/)
  })
})
