import { useText } from '../ui/context'

/** Replaces a component that is broken, unknown or nested too deeply. */
export function NotDrawn() {
  return <p className="caption">{useText()('notDrawn')}</p>
}
