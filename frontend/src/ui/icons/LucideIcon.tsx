import * as lucide from 'lucide'
import { createElement } from 'react'

type Shapes = [tag: string, attributes: Record<string, string>][]

/** A Lucide icon by its name, or by an earlier name. */
export default function LucideIcon({ name }: { name: string }) {
  const key = name.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())
  const shapes = (lucide as Record<string, unknown>)[key]
  if (!Array.isArray(shapes)) return null
  return (
    <svg
      aria-hidden
      width="1em"
      height="1em"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={2}
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {(shapes as Shapes).map(([tag, attributes], index) =>
        createElement(tag, { key: index, ...attributes }),
      )}
    </svg>
  )
}
