/** Milliseconds on a clock that all processes of this machine share, so that moments in different workers can be compared. */
export function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
