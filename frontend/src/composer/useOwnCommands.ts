import { useMemo } from 'react'

import { useChat, useText } from '../ui/context'
import { useStore } from '../ui/useStore'
import type { OwnCommand } from './useSuggestions'

interface Actions {
  attach: (() => void) | null
  mention: (() => void) | null
  dictate: (() => void) | null
}

/** Return the composer's own commands for the `/` menu. */
export function useOwnCommands({ attach, mention, dictate }: Actions): readonly OwnCommand[] {
  const chat = useChat()
  const text = useText()
  const tools = useStore(chat.state, ({ options }) => options?.composer?.tools)
  const models = useStore(chat.state, ({ options }) => options?.composer?.models)
  const own = (
    [
      ['attach', 'attachFiles', 'lucide:paperclip', attach],
      ['mention', 'mention', 'lucide:at-sign', mention],
      ['dictate', 'dictate', 'lucide:mic', dictate],
    ] as const
  ).flatMap(([id, label, icon, run]): OwnCommand[] =>
    run === null ? [] : [{ id, label: text(label), icon, run }],
  )
  const chosen = useMemo(
    () => [
      ...(tools ?? []).map(
        ({ id, label, icon }): OwnCommand => ({
          id: `tool ${id}`,
          label,
          icon,
          group: text('tools'),
          run: () => chat.chooseTool(id),
        }),
      ),
      ...(models ?? [])
        .filter(({ disabled }) => !disabled)
        .map(
          ({ id, label, description }): OwnCommand => ({
            id: `model ${id}`,
            label,
            ...(description !== undefined && { description }),
            group: text('model'),
            run: () => chat.chooseModel(id),
          }),
        ),
    ],
    [chat, text, tools, models],
  )
  return [...own, ...chosen]
}
