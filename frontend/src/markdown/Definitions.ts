import { createContext, useContext, useSyncExternalStore } from 'react'

import type { Node } from './grammar/node'
import { References } from './grammar/references'

/** The definitions and the numbered notes of a text: a change renders only what refers to them. */
export class Definitions {
  #references = new References()
  #notes: readonly string[] = []
  #numbers: ReadonlyMap<string, number> = new Map()
  #isChanged = false
  readonly #listeners = new Set<() => void>()

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  get(label: string): Node | undefined {
    return this.#references.get(label)
  }

  numberOf(label: string): number | undefined {
    return this.#numbers.get(label)
  }

  /** Set the definitions, and the labels of the notes in the order of their numbers. */
  set(references: References, notes: readonly string[]): void {
    this.#isChanged ||= references !== this.#references || notes !== this.#notes
    this.#references = references
    if (notes === this.#notes) return
    this.#notes = notes
    this.#numbers = new Map(notes.map((label, index) => [label, index + 1]))
  }

  /** Render again whatever refers to a changed definition. */
  notify(): void {
    if (!this.#isChanged) return
    this.#isChanged = false
    for (const listener of this.#listeners) listener()
  }
}

export const DefinitionsContext = createContext(new Definitions())

export function useDefinition(label: string): Node | undefined {
  const definitions = useContext(DefinitionsContext)
  return useSyncExternalStore(definitions.subscribe, () => definitions.get(label))
}

export function useNoteNumber(label: string): number | undefined {
  const definitions = useContext(DefinitionsContext)
  return useSyncExternalStore(definitions.subscribe, () => definitions.numberOf(label))
}
