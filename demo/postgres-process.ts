import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'

/** The embedded Postgres, in a process of its own so that its work does not hold up the demo's. */
process.on('disconnect', () => process.exit())
if (!process.connected) process.exit()
process.on('SIGINT', () => {})

const server = new PGLiteSocketServer({ db: await PGlite.create(), host: '127.0.0.1', port: 0, maxConnections: 200 })
await server.start()
process.send?.({ url: `postgres://postgres@${server.getServerConn()}/postgres` })
