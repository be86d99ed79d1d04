import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Redis, type RedisOptions } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { afterAll, describe, expect, it } from 'vitest'
import { createCache } from '../../src/index.ts'
import { redisStore } from '../../src/redis/index.ts'
import { freePort } from '../../scripts/start-redis.ts'
import { type RedisServer, startRedis } from '../redis-server.ts'
import { ownNamespace } from '../shared-redis.ts'

const secret = 'sentinel-tls-71ab'
const folder = await mkdtemp(join(tmpdir(), 'leasehold-tls-'))
const [server, wantsCertificate] = await startServers()

afterAll(async () => {
  await Promise.all([server?.stop(), wantsCertificate?.stop()])
  await rm(folder, { recursive: true, force: true })
})

interface TlsServer extends RedisServer {
  readonly tlsPort: number
}

/** Two certificates that vouch for themselves, and a server with the first. Undefined where redis-server was built without TLS. */
async function startServers(): Promise<[TlsServer, TlsServer] | [undefined, undefined]> {
  await Promise.all(['own', 'other'].map(makeCertificate))
  const start = async (clients: 'no' | 'yes'): Promise<TlsServer> => {
    const tlsPort = await freePort()
    const files = [
      '--tls-cert-file',
      pathOf('own.pem'),
      '--tls-key-file',
      pathOf('own.key'),
      '--tls-ca-cert-file',
      pathOf('own.pem'),
    ]
    const args = ['--tls-port', String(tlsPort), ...files, '--tls-auth-clients', clients, '--requirepass', secret]
    return { ...(await startRedis({ args })), tlsPort }
  }
  try {
    return await Promise.all([start('no'), start('yes')])
  } catch (error) {
    if (String(error).includes('Bad directive')) return [undefined, undefined]
    throw error
  }
}

function pathOf(name: string): string {
  return join(folder, name)
}

async function makeCertificate(name: string): Promise<void> {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', pathOf(`${name}.key`)]
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2']
  await promisify(execFile)('openssl', ['req', '-x509', ...key, ...subject, '-out', pathOf(`${name}.pem`)])
}

const trusting = (name: 'own' | 'other'): RedisOptions => ({
  lazyConnect: true,
  tls: { ca: readFileSync(pathOf(`${name}.pem`)) },
})

async function refusalOf(client: Redis): Promise<unknown> {
  const cache = createCache({ namespace: ownNamespace(), store: redisStore(client) })
  try {
    return await cache.ready('1s')
  } catch (error) {
    return error
  } finally {
    await cache.close()
  }
}

// Built without TLS, redis-server shows nothing of this.
describe.skipIf(server === undefined).each([
  ['ioredis 6', (url: string, options: RedisOptions) => new Redis(url, { lazyConnect: true }).duplicate(options)],
  [
    'ioredis 5',
    (url: string, options: RedisOptions) => (new Redis5(url, { lazyConnect: true }) as unknown as Redis).duplicate(options),
  ],
] as const)('TLS with a server of its own, over %s', (_, create) => {
  const urlOf = (scheme: 'redis' | 'rediss', port: number, host = '127.0.0.1'): string => `${scheme}://:${secret}@${host}:${port}`

  it('works where the certificate is trusted, wake-ups included', async () => {
    const cache = createCache({
      namespace: ownNamespace(),
      store: redisStore(create(urlOf('rediss', server!.tlsPort), trusting('own'))),
      commandTimeout: '2s',
    })
    await cache.ready()
    expect(await cache.set('k', 1)).toBe('applied')
    expect(await cache.get('k')).toBe(1)
    await expect.poll(() => cache.status().bus).toBe('up')
    await cache.close()
  })

  const wrong: readonly (readonly [what: string, client: () => Redis, message: RegExp])[] = [
    [
      'another certificate is trusted',
      () => create(urlOf('rediss', server!.tlsPort), trusting('other')),
      /TLS: its certificate is not accepted, DEPTH_ZERO_SELF_SIGNED_CERT/,
    ],
    [
      'its certificate is for another name',
      () => create(urlOf('rediss', server!.tlsPort, 'localhost'), { ...trusting('own'), family: 4 }),
      /TLS: its certificate is not accepted, ERR_TLS_CERT_ALTNAME_INVALID/,
    ],
    [
      'a port without TLS is asked for it',
      () => create(urlOf('rediss', server!.port), trusting('own')),
      /no TLS handshake; does it speak TLS\?/,
    ],
    [
      'a port with TLS is asked for none',
      () => create(urlOf('redis', server!.tlsPort), { lazyConnect: true }),
      /it hangs up at once; does it speak TLS alone, as rediss:\/\/ does\?/,
    ],
    [
      'it asks for a client certificate',
      () => create(urlOf('rediss', wantsCertificate!.tlsPort), trusting('own')),
      /TLS: .*does it ask for a client certificate\?/,
    ],
  ]

  it.each(wrong)('says so when %s, without the password', async (__, client, message) => {
    const refusal = await refusalOf(client())
    expect(refusal).toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringMatching(message) as string })
    expect(String(refusal)).not.toContain(secret)
  })
})
