import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const script = fileURLToPath(new URL('metrics-server-child.ts', import.meta.url))

function scrape(url: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, response => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0))
    }).once('error', reject)
  })
}

it('a process that serves metrics ends although a scraper holds its connection', { timeout: 30_000 }, async () => {
  const child = fork(script, { execArgv: ['--import', 'tsx'] })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  try {
    const [url] = (await once(child, 'message')) as [string]
    expect(await scrape(url, agent)).toBe(200)
    child.disconnect()
    // Each scrape puts off the end of the idle connection.
    for (let scrapes = 0; child.exitCode === null && scrapes < 50; scrapes++) {
      await sleep(100)
      await scrape(url, agent).catch(() => {})
    }
    expect(child.exitCode).toBe(0)
  } finally {
    agent.destroy()
    child.kill('SIGKILL')
  }
})
