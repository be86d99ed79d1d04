#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { exitCodes } from './cli-error.ts'
import { quietLibraries } from './quiet-libraries.ts'
import { run } from './run.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Whoever reads our output may stop reading, as `head` does.
  if (error.code === 'EPIPE') process.exit()
  process.stderr.write(`leasehold: the output could not be written (${error.code ?? error.name})\n`)
  process.exit(exitCodes.failed)
})
process.stderr.on('error', () => {})
quietLibraries()

process.exitCode = await run(process.argv.slice(2), process, { wallNow: () => Date.now() }, version)
