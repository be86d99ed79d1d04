import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { findKeyUses } from '../../../src/cli/lint-keys/find-key-uses.ts'
import { judgeKeys } from '../../../src/cli/lint-keys/judge-keys.ts'
import { runCli } from '../../cli-run.ts'

const folder = mkdtempSync(join(tmpdir(), 'leasehold-lint-'))
afterAll(() => rmSync(folder, { recursive: true }))

function rules(source: string): string[] {
  return judgeKeys([{ file: 'a.ts', uses: findKeyUses(source) }]).map(({ rule, line }) => `${line} ${rule}`)
}

describe('lint-keys', () => {
  it.each([
    ["const k = defineKey('catalog:user')", []],
    ["const k = defineKey<{ id: string; f: () => void; list: Array<number> }>(\n  'catalog:user',\n)", []],
    ["const k = defineKey('Catalog User')", ['1 name']],
    ["const k = defineKey('user', { tenant: true })\nconst l = defineKey('user')", ['2 duplicate-name']],
    ['const k = defineKey(name)', ['1 computed-name']],
    ['const k = defineKey(`user:${kind}`)', ['1 computed-name']],
    ['const k = defineKey(`user`)', []],
    ["const k = defineKey('us' + 'er')", ['1 computed-name']],
    ["const users = cache.define('user', {})\nconst more = otherCache.define('user', {})", []],
    ["const users = cache.define('User', {})\ncustomElements.define('User', {})", ['1 name']],
    ["// defineKey('Wrong')\n/* defineKey('Wrong') */\nconst text = \"defineKey('Wrong')\"", []],
    ["const pattern = /['\"`]/g; const k = defineKey('Wrong One')", ['1 name']],
    ["const half = a / b / 2; const k = defineKey('Wrong One')", ['1 name']],
    ["import { defineKey } from 'leasehold'\nfoo.defineKey('Wrong One')\nundefineKey('Wrong One')", []],
  ])('judges the definitions of %j', (source, expected) => {
    expect(rules(source)).toEqual(expected)
  })

  it.each([
    ["await cache.getOrSet('user:1', load)", ['1 key-by-hand']],
    ['await cache.getOrSet(`user:${id}`, load)', ['1 key-by-hand']],
    ["await cache.getOrSet('user:' + id, load)", ['1 key-by-hand']],
    ["await cache.getOrSet<User>('settings', load)", []],
    ['await cache.getOrSet(userKey({ id }), load)', []],
    ["await this.store.getOrSet('User 1', load)", ['1 key-by-hand']],
    ["await userCache.delete('user:1')\nawait cache?.get('user:2')", ['1 key-by-hand', '2 key-by-hand']],
    ["map.get('user:1'); headers.set('X-A', 1); new Set().has('a b')", []],
    ['const t = `${await cache.get(`user:${id}`)} }`', ['1 key-by-hand']],
    ["await cache.get('catalog:user:id=u_1')", []],
  ])('judges the keys of %j', (source, expected) => {
    expect(rules(source)).toEqual(expected)
  })

  it('walks folders, names the place, and ends with 1', async () => {
    mkdirSync(join(folder, 'src/deep'), { recursive: true })
    mkdirSync(join(folder, 'src/node_modules'), { recursive: true })
    writeFileSync(join(folder, 'src/keys.ts'), "export const a = defineKey('user')\n")
    writeFileSync(join(folder, 'src/deep/more.mts'), "\n  export const b = defineKey('user')\n")
    writeFileSync(join(folder, 'src/types.d.ts'), "defineKey('No No')")
    writeFileSync(join(folder, 'src/node_modules/x.js'), "defineKey('No No')")
    const { exitCode, stdout } = await runCli(['lint-keys', join(folder, 'src')])
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(
      /src\/keys\.ts:1:28 {2}duplicate-name {2}"user" is defined at .*more\.mts:2 too: the two share their keys\n/,
    )
    expect(stdout).toMatch(/1 problem; 2 definitions in 2 files\n$/)
    rmSync(join(folder, 'src/deep'), { recursive: true })
    expect(await runCli(['lint-keys', join(folder, 'src')])).toEqual({
      exitCode: 0,
      stdout: '0 problems; 1 definition in 1 file\n',
      stderr: '',
    })
  })

  it('checks a list of keys', async () => {
    const list = join(folder, 'keys.txt')
    writeFileSync(list, 'catalog:user:id=u_1\nuser:1\n\n')
    const { exitCode, stdout } = await runCli(['lint-keys', '--keys', list, '--json'])
    expect(exitCode).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ problems: [{ line: 2, rule: 'key-by-hand' }] })
  })

  it('says what it cannot read', async () => {
    expect(await runCli(['lint-keys', join(folder, 'nowhere')])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('there is no file or folder') as unknown,
    })
    expect((await runCli(['lint-keys'])).stderr).toBe('leasehold: name the files or folders to check, such as src\n')
  })
})
