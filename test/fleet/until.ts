const deadlineMs = 30_000

/** Asks again and again until `holds`. Fails after a deadline that only a defect reaches. */
export async function until(holds: () => boolean | Promise<boolean>, what: string, withinMs: number = deadlineMs): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited ${withinMs} ms in vain for ${what}`)
    await new Promise(resolve => setTimeout(resolve, 2))
  }
}
