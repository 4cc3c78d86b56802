import { Menu } from '@openai/apps-sdk-ui/components/Menu'
import type { ToolOption } from '@openai/chatkit'

import { useChat, useText } from '../ui/context'
import { CloseIcon, ToolsIcon } from '../ui/icons'
import { NamedIcon } from '../ui/icons/NamedIcon'
import { useStore } from '../ui/useStore'

const noTools: readonly ToolOption[] = []

/** The tools for a message: the pinned ones, a menu with the others, and the chosen one. */
export default function Tools() {
  const chat = useChat()
  const text = useText()
  const tools = useStore(chat.state, ({ options }) => options?.composer?.tools ?? noTools)
  const toolId = useStore(chat.state, (state) => state.toolId)
  const chosen = tools.find(({ id }) => id === toolId)
  const others = tools.filter(({ pinned }) => !pinned)
  const choose = (id: string | null): void => {
    chat.chooseTool(id)
    // Wait until the menu has closed and returned the focus.
    requestAnimationFrame(() => chat.focus())
  }
  return (
    <>
      {tools
        .filter(({ pinned }) => pinned)
        .map(({ id, icon, label, shortLabel }) => (
          <button
            key={id}
            type="button"
            className="pick"
            aria-pressed={id === toolId}
            aria-label={label}
            title={label}
            onClick={() => choose(id === toolId ? null : id)}
          >
            <NamedIcon name={icon} />
            <span>{shortLabel ?? label}</span>
          </button>
        ))}
      {others.length > 0 && (
        <Menu>
          <Menu.Trigger>
            <button
              type="button"
              className="icon-button"
              aria-label={text('tools')}
              title={text('tools')}
            >
              <ToolsIcon />
            </button>
          </Menu.Trigger>
          <Menu.Content side="top" align="start" minWidth={200}>
            <Menu.RadioGroup<string>
              value={toolId ?? ''}
              onChange={(id) => choose(id === toolId ? null : id)}
            >
              {others.map(({ id, icon, label }) => (
                <Menu.RadioItem key={id} value={id} className="menu-item">
                  <NamedIcon name={icon} />
                  <span className="menu-text">{label}</span>
                </Menu.RadioItem>
              ))}
            </Menu.RadioGroup>
          </Menu.Content>
        </Menu>
      )}
      {chosen !== undefined && !chosen.pinned && (
        <button
          type="button"
          className="pick chosen"
          aria-label={text('removeTool', { tool: chosen.label })}
          title={text('removeTool', { tool: chosen.label })}
          onClick={() => choose(null)}
        >
          <NamedIcon name={chosen.icon} />
          <span>{chosen.shortLabel ?? chosen.label}</span>
          <CloseIcon className="pick-close" />
        </button>
      )}
    </>
  )
}
