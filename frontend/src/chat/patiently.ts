/** Loads the code of parts of the page that are needed later. */

import { RETRY_DELAYS } from './retry'
import { Store } from './store'

/** Whether a part failed to load, for example because an upgrade removed its files. */
export const parts = new Store({ isMissing: false })

/** Load a part, again if that fails. */
export async function patiently<T>(
  load: () => Promise<T>,
  [pause, ...others]: readonly number[] = RETRY_DELAYS,
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
