#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { run } from './run.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }

// Whoever reads our output may stop reading, as `head` does.
process.stdout.on('error', () => process.exit())

process.exitCode = await run(process.argv.slice(2), process, { wallNow: () => Date.now() }, version)
