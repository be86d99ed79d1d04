import { describe, expect, it } from 'vitest'
import { commandFailure, connectionFailure } from '../../../src/redis/failures.ts'

function replyError(message: string): Error {
  const error = new Error(message)
  error.name = 'ReplyError'
  return Object.assign(error, { command: { name: 'set', args: ['secret-key', 'secret-value'] } })
}

describe('a failed command', () => {
  it.each([
    ['OOM command not allowed', 'STORE_FULL', 'not-executed'],
    ['NOAUTH Authentication required.', 'STORE_REFUSED', 'not-executed'],
    ['WRONGPASS invalid', 'STORE_REFUSED', 'not-executed'],
    ["NOPERM this user has no permissions to run the 'get' command", 'STORE_REFUSED', 'not-executed'],
    ["READONLY You can't write against a read only replica.", 'STORE_UNAVAILABLE', 'not-executed'],
    ['LOADING Redis is loading the dataset in memory', 'STORE_UNAVAILABLE', 'not-executed'],
    ['MASTERDOWN Link with MASTER is down', 'STORE_UNAVAILABLE', 'not-executed'],
    ['CLUSTERDOWN The cluster is down', 'STORE_UNAVAILABLE', 'not-executed'],
    ['ERR something unheard of', 'STORE_REFUSED', 'unknown'],
  ])('%s', (message, code, outcome) => {
    expect(commandFailure('put', replyError(message))).toMatchObject({ code, outcome })
  })

  it('is unknown when the connection was lost, and not executed when it was never written', () => {
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
    expect(commandFailure('put', reset)).toMatchObject({ code: 'STORE_UNAVAILABLE', outcome: 'unknown' })
    expect(commandFailure('put', new Error('Connection is closed.'))).toMatchObject({ outcome: 'unknown' })
    const unwritten = new Error("Stream isn't writeable and enableOfflineQueue options is false")
    expect(commandFailure('put', unwritten)).toMatchObject({ code: 'STORE_UNAVAILABLE', outcome: 'not-executed' })
  })

  it.each([
    ["NOPERM this user has no permissions to run the 'client|list' command", 'not-executed', 'command client|list'],
    ["NOPERM User app-secret has no permissions to run the 'get' command", 'not-executed', 'command get'],
    ['NOPERM this user has no permissions to access one of the keys used as arguments', 'not-executed', 'the key'],
    ["NOPERM No permissions to access a key 'secret-key'", 'not-executed', 'the key'],
    ['NOPERM this user has no permissions to access one of the channels used as arguments', 'not-executed', 'the channel'],
    ['NOPERM No permissions to access a channel', 'not-executed', 'the channel'],
    ['NOPERM No permissions to access a key', 'not-executed', 'the key'],
    [
      "NOPERM ACL failure in script: User secret has no permissions to run the 'publish' command script: 74ae, on @user_script:1.",
      'unknown',
      'command publish',
    ],
    [
      "ERR The user executing the script can't run this command or subcommand script: 74ae, on @user_script:1.",
      'unknown',
      'a command of the script',
    ],
    [
      "ERR The user executing the script can't publish to the channel mentioned in the command script: 74ae, on @user_script:1.",
      'unknown',
      'the channel',
    ],
    [
      "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments script: 74ae",
      'unknown',
      'the key',
    ],
  ])('says what the user may not do: %s', (message, outcome, what) => {
    const failed = commandFailure('put', replyError(message))
    expect(failed).toMatchObject({ code: 'STORE_REFUSED', outcome })
    for (const { message: said } of [failed, connectionFailure(replyError(message))]) {
      expect(said).toContain(`no permission for ${what.startsWith('command') ? `the ${what}` : what}`)
      expect(said).not.toContain('secret')
    }
  })

  it('keeps nothing of what the command carried', () => {
    const errors = [
      replyError("ERR unknown command 'SECRET', with args beginning with: 'secret-key' 'secret-value'"),
      replyError('ERR wrong number of arguments: "secret-value"'),
      replyError('WRONGTYPE Operation against a key, command was: secret-key'),
    ]
    for (const error of errors) {
      for (const failure of [commandFailure('put', error), connectionFailure(error)]) {
        const { message, stack, cause, ...fields } = failure
        expect(`${message} ${stack} ${String(cause)} ${JSON.stringify(fields)}`.toLowerCase()).not.toContain('secret')
      }
    }
  })
})
