/** Where two sequences differ. */

/** Parts of two arrays that do not belong together: [from, to) of one and [from, to) of the other. */
export type Gap = readonly [number, number, number, number]
/** The gaps between what jsdiff has found in common. */
export function gapsOf(
  parts: readonly { readonly added: boolean; readonly removed: boolean; readonly count: number }[],
): Gap[] {
  const gaps: Gap[] = []
  let [i, j, fromI, fromJ] = [0, 0, 0, 0]
  const close = (): void => {
    if (i > fromI || j > fromJ) gaps.push([fromI, i, fromJ, j])
  }
  for (const { added, removed, count } of parts) {
    if (added) j += count
    else if (removed) i += count
    else {
      close()
      i += count
      j += count
      fromI = i
      fromJ = j
    }
  }
  close()
  return gaps
}
