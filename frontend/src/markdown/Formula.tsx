import 'katex/contrib/mhchem'
import 'katex/dist/katex.min.css'

import katex from 'katex'
import { useLayoutEffect, useRef } from 'react'

/** The milliseconds for which formulas are rendered at a stretch; the rest waits. */
const STRETCH = 20

const waiting = new Set<() => void>()
let spent = 0
let isTimed = false

/** Render now, or later if too much was rendered at a stretch; return a function that cancels it. */
function inTurn(render: () => void, isLater: () => void): () => void {
  if (spent < STRETCH) take(render)
  else {
    isLater()
    waiting.add(render)
  }
  return () => waiting.delete(render)
}

function take(render: () => void): void {
  const began = performance.now()
  render()
  spent += performance.now() - began
  if (!isTimed) setTimeout(takeNext)
  isTimed = true
}

function takeNext(): void {
  isTimed = false
  spent = 0
  for (const render of waiting) {
    if (spent >= STRETCH) return
    waiting.delete(render)
    take(render)
  }
}

interface FormulaProps {
  tex: string
  /** The formula with its delimiters, as it was written. */
  source: string
  isDisplay: boolean
  /** Whether the formula is a block, not part of a line. */
  isBlock: boolean
}

/** A formula in TeX; if it is invalid, its source is shown. */
export default function Formula({ tex, source, isDisplay, isBlock }: FormulaProps) {
  const element = useRef<HTMLSpanElement>(null)
  useLayoutEffect(() => {
    const { current } = element
    if (current === null) return
    const render = (): void => {
      const drawn = document.createElement('span')
      try {
        katex.render(tex, drawn, { displayMode: isDisplay, maxSize: 20, maxExpand: 200 })
      } catch {
        drawn.textContent = source
      }
      if (isTooLarge(drawn)) current.textContent = source
      else current.replaceChildren(...drawn.childNodes)
    }
    return inTurn(render, () => {
      current.textContent ||= source
    })
  }, [tex, source, isDisplay])
  const name = isBlock ? 'formula block-formula' : 'formula'
  return <span ref={element} dir="ltr" className={name} data-source={source} />
}

/** The most elements, in all and within each other: deep formulas crash Chromium. */
const LARGEST = { elements: 8_000, depth: 150 }

function isTooLarge(formula: Element): boolean {
  let depth = 0
  let count = 0
  for (let level = [formula]; level.length > 0; depth++) {
    level = level.flatMap((each) => [...each.children])
    count += level.length
    if (count > LARGEST.elements || depth > LARGEST.depth) return true
  }
  return false
}
