/**
 * Keeps libraries from printing: an error of the command line is one line, and says itself what a warning of the process would say before
 * it. The process must be that of the command line.
 */
export function quietLibraries(): void {
  process.removeAllListeners('warning')
  globalThis.console.warn = () => {}
}
