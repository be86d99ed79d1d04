import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { headerBytes, offset, tokenBytes, wireVersion } from '../../../src/codec/header.ts'
import * as scripts from '../../../src/redis/scripts.gen.ts'

const all = Object.values(scripts)
const root = new URL('../../../', import.meta.url)

describe('the scripts', () => {
  it('are those of the Lua sources', async () => {
    const check = promisify(execFile)(process.execPath, ['--import', 'tsx', 'scripts/generate-scripts.ts', '--check'], {
      cwd: root,
    })
    await expect(check).resolves.toBeDefined()
  }, 20_000)

  it('go by the hash of their text', () => {
    for (const { source, sha1 } of all) expect(createHash('sha1').update(source).digest('hex')).toBe(sha1)
  })

  it('know the header as the codec does', async () => {
    const lua = await readFile(new URL('src/redis/lua/include/entry.lua', root), 'utf8')
    const constant = (name: string): string | undefined => new RegExp(`^local ${name} = (.+)$`, 'm').exec(lua)?.[1]
    expect(constant('HEADER_BYTES')).toBe(String(headerBytes))
    expect(constant('MARK_OFFSET')).toBe(String(offset.mark))
    expect(constant('FRESH_UNTIL_OFFSET')).toBe(String(offset.freshUntil))
    expect(constant('TOKEN_OFFSET')).toBe(String(offset.token))
    expect(constant('TOKEN_BYTES')).toBe(String(tokenBytes))
    expect(constant('MAGIC_AND_VERSION')).toBe(`'LH\\${wireVersion}'`)
  })

  it('that end something run on a full server, and those that store try first', () => {
    const flagged = all.filter(({ source }) => source.startsWith('#!lua flags=allow-oom\n')).map(({ name }) => name)
    expect(flagged.toSorted()).toEqual(['bump-tags', 'clear', 'expire', 'mark', 'pulse', 'release', 'remove', 'renew', 'stamp'])
    const unflagged = all.filter(({ source }) => !source.startsWith('#!')).map(({ name }) => name)
    expect(unflagged.toSorted()).toEqual(['acquire', 'commit', 'put'])
  })
})
