/** What a text needs beyond the plain, loaded when the first text needs it. */

import { useEffect, useMemo } from 'react'
import type { PluginConfig } from 'streamdown'

import { Store } from '../chat/store'
import { useStore } from '../ui/useStore'
import { mayHaveMath } from './math'

const LANGUAGE = /^[ \t]*(?:`{3,}|~{3,})[ \t]*\w/m

const loaded = new Store<Pick<PluginConfig, 'code' | 'math'>>({})
const asked = new Set<string>()

function load(name: 'code' | 'math'): void {
  if (asked.has(name)) return
  asked.add(name)
  const coming = name === 'code' ? import('./highlighting') : import('./formulas')
  coming.then(
    ({ plugin }) => loaded.set({ [name]: plugin }),
    // The text is there without it; the next one tries again.
    () => asked.delete(name),
  )
}

export function usePlugins(text: string): PluginConfig {
  const needsCode = LANGUAGE.test(text)
  const needsMath = mayHaveMath(text)
  const code = useStore(loaded, (state) => (needsCode ? state.code : undefined))
  const math = useStore(loaded, (state) => (needsMath ? state.math : undefined))
  useEffect(() => {
    if (needsCode) load('code')
    if (needsMath) load('math')
  }, [needsCode, needsMath])
  return useMemo(() => ({ ...(code && { code }), ...(math && { math }) }), [code, math])
}
