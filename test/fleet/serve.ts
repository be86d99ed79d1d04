import type { CommandTable, FromChild, ToChild } from './child.ts'

type Handlers<Commands extends CommandTable<Commands>> = {
  readonly [Name in keyof Commands]: (request: Commands[Name]['request']) => Promise<Commands[Name]['reply']>
}

/** Answers the parent's commands until it goes, and says that it may begin. Returns what tells the parent something unasked. */
export function serve<Commands extends CommandTable<Commands>, Notice = never>(
  handlers: Handlers<Commands>,
): (notice: Notice) => void {
  process.on('disconnect', () => process.exit())
  process.on('message', (message: ToChild) => void handle(handlers, message))
  tell({ kind: 'ready' })
  return notice => tell({ kind: 'notice', notice })
}

type Handler = (request: unknown) => Promise<unknown>

async function handle(handlers: Readonly<Record<string, Handler>>, { id, command, request }: ToChild): Promise<void> {
  try {
    const reply = await handlers[command]?.(request)
    tell({ kind: 'reply', id, reply })
  } catch (error) {
    tell({ kind: 'failed', id, message: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}

function tell<Notice>(message: FromChild<Notice>): void {
  if (process.connected) process.send?.(message)
}
