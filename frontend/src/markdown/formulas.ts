/** Finds math in Markdown; loaded with the first text that may have some. */

import remarkMath from 'remark-math'
import type { PluginConfig } from 'streamdown'

interface Node {
  type: string
  tagName?: string
  value?: string
  properties?: Record<string, unknown>
  children?: Node[]
}

export const plugin: NonNullable<PluginConfig['math']> = {
  name: 'katex',
  type: 'math',
  // What stands between single dollars is told from prices in `withMath`.
  remarkPlugin: [remarkMath, { singleDollarTextMath: false }],
  // KaTeX's own plugin goes by way of HTML with style attributes, which a strict policy forbids.
  rehypePlugin: () => (tree: Node) => replaceFormulas(tree),
}

function replaceFormulas(parent: Node): void {
  parent.children = parent.children?.map((child) => {
    const isDisplay = child.tagName === 'pre'
    const code = isDisplay ? child.children?.[0] : child
    const classes = code?.tagName === 'code' ? code.properties?.['className'] : undefined
    if (Array.isArray(classes) && classes.includes('language-math')) {
      const properties = { tex: textOf(code), ...(isDisplay && { display: 'true' }) }
      return { type: 'element', tagName: 'math-formula', properties, children: [] }
    }
    replaceFormulas(child)
    return child
  })
}

function textOf(node: Node | undefined): string {
  return node?.value ?? node?.children?.map(textOf).join('') ?? ''
}
