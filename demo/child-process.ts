import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Starts a TypeScript file. Its stdout is dropped, so that nothing but the report can reach ours. */
export function forkTypeScript(file: URL, nodeFlags: readonly string[] = []): ChildProcess {
  return fork(fileURLToPath(file), {
    execArgv: ['--import', import.meta.resolve('tsx'), ...nodeFlags],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced',
  })
}

/** A child leaves when it is disconnected; one that does not in time is killed. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  if (child.connected) child.disconnect()
  const late = setTimeout(() => child.kill('SIGKILL'), 2000)
  await exited
  clearTimeout(late)
}
