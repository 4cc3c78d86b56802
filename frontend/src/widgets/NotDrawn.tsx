import { useText } from '../ui/context'

/** Stands in the place of what is broken, unknown or too deep. */
export function NotDrawn() {
  return <p className="caption">{useText()('notDrawn')}</p>
}
