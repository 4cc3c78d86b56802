import { Menu } from '@openai/apps-sdk-ui/components/Menu'
import type { ModelOption } from '@openai/chatkit'

import { nextModel } from '../chat/models'
import { useChat, useText } from '../ui/context'
import { OpenIcon } from '../ui/icons'
import { useStore } from '../ui/useStore'

const noModels: readonly ModelOption[] = []

/** The menu that chooses the model. */
export default function Models() {
  const chat = useChat()
  const text = useText()
  const models = useStore(chat.state, ({ options }) => options?.composer?.models ?? noModels)
  const modelId = useStore(chat.state, nextModel)
  const chosen = models.find(({ id }) => id === modelId)
  return (
    <Menu>
      <Menu.Trigger>
        <button type="button" className="pick model" title={text('model')}>
          <span className="visually-hidden">{text('model')}</span>
          <span>{chosen?.label ?? text('choose')}</span>
          <OpenIcon className="pick-close" />
        </button>
      </Menu.Trigger>
      <Menu.Content side="top" align="end" minWidth={220}>
        <Menu.RadioGroup<string>
          value={modelId ?? ''}
          onChange={(id) => {
            chat.chooseModel(id)
            requestAnimationFrame(() => chat.focus())
          }}
        >
          {models.map(({ id, label, description, disabled }) => (
            <Menu.RadioItem key={id} value={id} disabled={disabled === true} className="menu-item">
              <span className="menu-text">
                {label}
                {description && <span className="menu-more">{description}</span>}
              </span>
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
      </Menu.Content>
    </Menu>
  )
}
