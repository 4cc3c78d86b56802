import { useId, useImperativeHandle, useLayoutEffect, useState } from 'react'
import { createPortal } from 'react-dom'

import { isOfInputMethod } from '../ui/isOfInputMethod'
import { useStore } from '../ui/useStore'
import { spaced, TAG, textContent } from '../chat/content'
import { insert, TagPlaces } from './document'
import type { EditorProps, Field } from './Editor'
import { SuggestionMenu } from './SuggestionMenu'
import { Tag } from './Tag'
import { useMenu } from './useMenu'
import { useTipTap } from './useTipTap'

interface RichEditorProps extends EditorProps {
  /** The plain field, which the editor takes over. */
  field: Field
  /** Returns whether it handled a key. */
  onKey: (event: KeyboardEvent) => boolean
}

/** Turns the plain field into an editor with tags and menus. */
export default function RichEditor({ ref, field, onKey, ...props }: RichEditorProps) {
  const [places] = useState(() => new TagPlaces())
  const tags = useStore(places, (state) => state.places)
  const [isFocused, setFocused] = useState(false)
  const editor = useTipTap(field, props.content, places, {
    onChange: (content) => {
      props.onChange(content)
      menu.look()
    },
    onSelect: () => menu.look(),
    onFocus: setFocused,
    onBlur: () => menu.withdraw(),
    onFiles: props.onFiles,
    onKey: (event) => {
      if (isOfInputMethod(event)) return false
      if (!menu.onKey(event)) return onKey(event)
      event.stopPropagation()
      return true
    },
  })
  const menu = useMenu(editor, isFocused, props.commands)
  const listId = useId()
  useMenuAttributes(field, listId, menu)

  /** Insert text at the caret. Without the focus, browsers would move the caret later. */
  const write = (text: string): void => {
    const { current } = editor
    if (current === null) return
    current.view.focus()
    const { $from } = current.state.selection
    const before = $from.parent.textBetween(0, $from.parentOffset, '\n', TAG)
    insert(current, textContent(spaced(before, text)))
  }
  useImperativeHandle(ref, () => ({
    focus: () => editor.current?.view.focus(),
    insert: write,
    mention: () => {
      write('@')
      menu.offer()
    },
  }))
  return (
    <>
      {tags.map(({ element, tag }, index) => createPortal(<Tag key={index} tag={tag} />, element))}
      {menu.open !== null && (
        <SuggestionMenu
          id={listId}
          suggestions={menu.open}
          problem={menu.problem}
          isWorking={menu.isWorking}
          active={menu.active}
          onPoint={menu.setActive}
          onChoose={(suggestion) => void menu.choose(suggestion)}
        />
      )}
    </>
  )
}

/** Describe the menu to screen readers. */
function useMenuAttributes(
  { element }: Field,
  listId: string,
  { open, active, hasSigns }: Pick<ReturnType<typeof useMenu>, 'open' | 'active' | 'hasSigns'>,
): void {
  const controls = open !== null && open.list.length > 0 ? listId : null
  const option = active < 0 ? null : `${listId}-${active}`
  useLayoutEffect(() => {
    const attributes = {
      'aria-autocomplete': hasSigns ? 'list' : null,
      'aria-haspopup': hasSigns ? 'listbox' : null,
      'aria-controls': controls,
      'aria-activedescendant': option,
    }
    for (const [name, value] of Object.entries(attributes)) {
      if (value === null) element.current?.removeAttribute(name)
      else element.current?.setAttribute(name, value)
    }
  }, [element, hasSigns, controls, option])
}
