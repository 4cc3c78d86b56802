import { isPending } from '../protocol/thread'
import type { ClientToolCallItem } from '../protocol/types'
import { useText } from '../ui/context'
import { Step } from './Step'

/** A tool that the page runs for the agent. */
export function ClientToolCall({ item }: { item: ClientToolCallItem }) {
  const text = useText()
  const isCalled = isPending(item)
  const tool = item.name.replaceAll(/[_-]+/g, ' ').trim()
  return (
    <Step
      title={text(isCalled ? 'usingTool' : 'usedTool', { tool })}
      status={isCalled ? 'running' : 'done'}
    />
  )
}
