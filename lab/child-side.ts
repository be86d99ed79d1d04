interface Question {
  readonly kind: string
}

/** A child process that answers questions. It lives as long as its parent holds the channel open. */
export function answerQuestions<Asked extends Question>(answer: (question: Asked) => Promise<object | undefined>): void {
  process.on('disconnect', () => process.exit())
  if (!process.connected) process.exit()
  process.on('SIGINT', () => {})
  process.on('message', (question: Asked) => {
    answer(question).then(
      said => said !== undefined && say(said),
      (error: unknown) =>
        say({ kind: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    )
  })
}

export function say(message: object): void {
  process.send?.(message)
}
