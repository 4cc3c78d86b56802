/** The tool and the model that the user chose. They survive a reload, but not the tab. */

import { isObject } from './isObject'
import { storedJson, storeJson } from './storedJson'

interface Chosen {
  toolId: string | null
  modelId: string | null
  /** The thread in which the model was chosen; `null` for a new one. */
  threadId: string | null
}

const nothing: Chosen = { toolId: null, modelId: null, threadId: null }

export class Choices {
  #name: string | null = null
  #chosen = nothing

  /** Separate the choices from those of other servers and of other chats in the page. */
  use(url: string, key: string): Chosen {
    this.#name = `chatkit-chosen ${key} ${url}`
    this.#chosen = this.#load(this.#name)
    return this.#chosen
  }

  keep(change: Partial<Chosen>): void {
    this.#chosen = { ...this.#chosen, ...change }
    if (this.#name !== null) storeJson('sessionStorage', this.#name, this.#chosen)
  }

  #load(name: string): Chosen {
    const kept = storedJson('sessionStorage', name)
    if (!isObject(kept)) return nothing
    const id = (key: keyof Chosen) => (typeof kept[key] === 'string' ? kept[key] : null)
    return { toolId: id('toolId'), modelId: id('modelId'), threadId: id('threadId') }
  }
}
