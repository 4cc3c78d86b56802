import type { Command, Entity } from '@openai/chatkit'
import { useEffect, useEffectEvent, useMemo, useState } from 'react'

import { useChat } from '../ui/context'
import { useStore } from '../ui/useStore'
import type { Trigger } from './trigger'

/** Milliseconds after the last keystroke until a search starts. */
const PAUSE = 150

/** A command of the composer itself. */
export interface OwnCommand extends Command {
  run: () => void
}

export interface Suggestion {
  id: string
  label: string
  description?: string | undefined
  icon?: string | undefined
  group?: string | undefined
  entity?: Entity
  command?: Command
  run?: () => void
}

interface Found {
  search: string
  suggestions: readonly Suggestion[]
  hasFailed: boolean
}

export interface Suggestions {
  sign: Trigger['sign']
  status: 'searching' | 'found' | 'nothing' | 'failed'
  /** Suggestions of the same group are next to each other. */
  list: readonly Suggestion[]
}

const nothing: Found = { search: '', suggestions: [], hasFailed: false }

/** Return the signs that start a search, depending on the app's options. */
export function useSigns(withCommands: boolean): readonly Trigger['sign'][] {
  const chat = useChat()
  const hasTags = useStore(
    chat.state,
    ({ options }) => options?.entities?.onTagSearch !== undefined,
  )
  const hasCommands = useStore(chat.state, ({ options }) => options?.commands?.enabled === true)
  return useMemo(
    () => [
      ...(hasTags ? ['@' as const] : []),
      ...(hasCommands && withCommands ? ['/' as const] : []),
    ],
    [hasTags, hasCommands, withCommands],
  )
}

/** Search for a trigger's query; return `null` if no menu is needed. */
export function useSuggestions(
  trigger: Trigger | null,
  own: readonly OwnCommand[],
  menu: readonly Command[] | null,
): Suggestions | null {
  const chat = useChat()
  const onTagSearch = useStore(chat.state, ({ options }) => options?.entities?.onTagSearch)
  const onSearch = useStore(chat.state, ({ options }) => options?.commands?.onSearch)
  const [found, setFound] = useState(nothing)
  const [isBusy, setBusy] = useState(false)
  const find = useEffectEvent(
    async (sign: Trigger['sign'], query: string): Promise<Suggestion[]> =>
      sign === '@'
        ? ((await onTagSearch?.(query)) ?? []).map(fromEntity)
        : [
            ...matching(own, query).map(fromOwn),
            ...((await onSearch?.(query)) ?? []).map(fromCommand),
          ],
  )

  const { sign, query = '' } = trigger ?? {}
  const search = sign === undefined ? '' : `${sign}${query}`
  // A user who keeps typing after a query without results is no longer searching.
  const isOver =
    /\s/.test(query) &&
    found.search !== '' &&
    found.suggestions.length === 0 &&
    !found.hasFailed &&
    search.startsWith(found.search)

  useEffect(() => {
    if (sign === undefined || isOver || menu !== null) {
      setBusy(false)
      if (sign === undefined) setFound(nothing)
      return undefined
    }
    let isStale = false
    setBusy(true)
    const run = async (): Promise<void> => {
      let result: Found
      try {
        result = { search, suggestions: grouped(await find(sign, query)), hasFailed: false }
      } catch (error) {
        console.warn('A search for suggestions failed.', error)
        result = { search, suggestions: [], hasFailed: true }
      }
      if (isStale) return
      setFound(result)
      setBusy(false)
    }
    const timer = setTimeout(() => void run(), query === '' ? 0 : PAUSE)
    return () => {
      isStale = true
      clearTimeout(timer)
    }
  }, [sign, query, search, isOver, menu])
  const ofMenu = useMemo(
    () => menu && grouped(matching(menu, query).map(fromCommand)),
    [menu, query],
  )

  if (sign === undefined || isOver) return null
  if (ofMenu !== null)
    return { sign, list: ofMenu, status: ofMenu.length > 0 ? 'found' : 'nothing' }
  if (isBusy || found.search !== search) return { sign, list: [], status: 'searching' }
  if (found.hasFailed) return { sign, list: [], status: 'failed' }
  return {
    sign,
    list: found.suggestions,
    status: found.suggestions.length > 0 ? 'found' : 'nothing',
  }
}

function matching<T extends Command>(commands: readonly T[], query: string): T[] {
  const wanted = query.toLocaleLowerCase()
  return commands.filter(({ label }) => label.toLocaleLowerCase().includes(wanted))
}

function fromEntity(entity: Entity): Suggestion {
  return { id: entity.id, label: entity.title, icon: entity.icon, group: entity.group, entity }
}

function fromCommand(command: Command): Suggestion {
  const { id, label, description, icon, group } = command
  return { id, label, description, icon, group, command }
}

function fromOwn({ run, ...command }: OwnCommand): Suggestion {
  return { ...command, run }
}

/** Sort the suggestions by group, in the order in which the groups appear. */
function grouped(suggestions: readonly Suggestion[]): Suggestion[] {
  const groups = [...new Set(suggestions.map(({ group }) => group))]
  return groups.flatMap((group) => suggestions.filter((each) => each.group === group))
}
