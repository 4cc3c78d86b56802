import { Button as DrawnButton } from '@openai/apps-sdk-ui/components/Button'

import { actionOf } from './actions'
import type { ComponentProps } from './Component'
import { useActing } from './context'
import { textOf } from './values'

export function Button({ widget }: ComponentProps) {
  const { act, isPending, isBusy } = useActing()
  const action = actionOf(widget['onClickAction'])
  return (
    <DrawnButton
      color="secondary"
      variant="soft"
      loading={isPending}
      disabled={isBusy || action === null}
      onClick={() => action && void act(action)}
    >
      {textOf(widget['label'])}
    </DrawnButton>
  )
}
