import 'katex/dist/katex.min.css'

import katex from 'katex'
import { useLayoutEffect, useRef } from 'react'

interface FormulaProps {
  tex: string
  /** The formula with its delimiters, as it was written. */
  source: string
  isDisplay: boolean
}

/** A formula in TeX; if it is invalid, its source is shown. */
export default function Formula({ tex, source, isDisplay }: FormulaProps) {
  const element = useRef<HTMLSpanElement>(null)
  useLayoutEffect(() => {
    if (element.current === null) return
    try {
      katex.render(tex, element.current, { displayMode: isDisplay, maxSize: 20, maxExpand: 200 })
    } catch {
      element.current.textContent = source
    }
  }, [tex, source, isDisplay])
  return <span ref={element} dir="ltr" className="formula" data-source={source} />
}
