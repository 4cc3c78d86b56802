/** Loads the code of parts of the page that are needed later. */

import { Store } from './store'

/** Whether a part failed to load: an upgrade removes the files that an open page would request. */
export const parts = new Store({ isMissing: false })

/** Milliseconds before each further attempt to load a part: a server that restarts is back soon. */
const PAUSES = [500, 1_000, 2_000, 4_000, 8_000]

/** Load a part, again if that fails. */
export async function patiently<T>(
  load: () => Promise<T>,
  [pause, ...others]: readonly number[] = PAUSES,
): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if (pause === undefined) throw error
    await new Promise((resolve) => setTimeout(resolve, pause))
    const part = await patiently(load, others)
    parts.set({ isMissing: false })
    return part
  }
}
