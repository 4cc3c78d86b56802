import { Editor as TipTap } from '@tiptap/core'
import type { Command, CommandSelection } from '@openai/chatkit'
import { EditorState, Selection } from '@tiptap/pm/state'
import {
  useEffect,
  useId,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type Ref,
} from 'react'
import { createPortal } from 'react-dom'

import { useChat, useText } from '../ui/context'
import { useStore } from '../ui/useStore'
import { noContent, tagOf, textContent, type Content } from './content'
import { copied, paste, drop } from './clipboard'
import {
  contentOf,
  Document,
  History,
  insert,
  Line,
  linesOf,
  Tag as TagNode,
  TagPlaces,
  Text,
} from './document'
import { SuggestionMenu } from './SuggestionMenu'
import { Tag } from './Tag'
import { triggerIn, type Trigger } from './trigger'
import { useSigns, useSuggestions, type OwnCommand, type Suggestion } from './useSuggestions'

export interface EditorHandle {
  focus: () => void
  /** Put text where the caret is, and the focus. */
  insert: (text: string) => void
  /** Begin to search for a tag. */
  mention: () => void
}

interface EditorProps {
  ref?: Ref<EditorHandle>
  label: string
  placeholder?: string
  content: Content
  onChange: (content: Content) => void
  onSend: () => void
  onEscape?: () => void
  /** Take files that are pasted. */
  onFiles?: (files: FileList) => boolean
  autoFocus?: boolean
  /** What the `/` menu offers beside the commands of the app; without it there is no such menu. */
  commands?: readonly OwnCommand[]
}

interface Found extends Trigger {
  /** Where in the document the sign is. */
  from: number
}

const noCommands: readonly OwnCommand[] = []

const SPACE = { type: 'input_text', text: ' ' } as const

/** What stands for a tag where a line is read as text. */
const TAG = '\uFFFC'

/** Text with tags in it, and the menus by which tags and commands are found. */
export function Editor(props: EditorProps) {
  const { ref, label, placeholder = '', content, autoFocus = false, commands } = props
  const chat = useChat()
  const text = useText()
  const onSelect = useStore(chat.state, ({ options }) => options?.commands?.onSelect)
  const host = useRef<HTMLDivElement>(null)
  const editor = useRef<TipTap>(null)
  const places = useMemo(() => new TagPlaces(), [])
  const tags = useStore(places, (state) => state.places)
  const told = useRef(content)
  const listId = useId()

  const signs = useSigns(commands !== undefined)
  const [trigger, setTrigger] = useState<Found | null>(null)
  const [dismissed, setDismissed] = useState<number | null>(null)
  const [menu, setMenu] = useState<readonly Command[] | null>(null)
  const [isFocused, setFocused] = useState(false)
  const isLooking = isFocused && trigger !== null && trigger.from !== dismissed
  const open = useSuggestions(isLooking ? trigger : null, commands ?? noCommands, menu)
  const [active, setActive] = useState(0)
  const [isWorking, setWorking] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const chosen = open?.list[Math.min(active, open.list.length - 1)]

  const look = (): void => {
    const found = editor.current === null ? null : triggerBefore(editor.current, signs)
    setTrigger((before) => (isSame(before, found) ? before : found))
    if (found === null) {
      setDismissed(null)
      setMenu(null)
    }
    setProblem(null)
  }
  /** Where the button for tags has written its sign, which goes when nothing comes of it. */
  const offered = useRef<number | null>(null)
  const withdraw = (): void => {
    const { current } = editor
    const now = current === null ? null : triggerBefore(current, signs)
    if (now !== null && now.from === offered.current && now.query === '') {
      current?.commands.deleteRange({ from: now.from, to: now.from + now.length })
    }
    offered.current = null
  }
  const close = (): void => {
    setDismissed(trigger?.from ?? null)
    withdraw()
  }

  const choose = async (suggestion: Suggestion): Promise<void> => {
    const { current } = editor
    if (current === null || trigger === null) return
    const { from } = trigger
    /** Put something in the place of what was searched for, if that is still there. */
    const put = (content: Content): void => {
      const now = triggerBefore(current, signs)
      const range = now?.from === from ? { from, to: from + now.length } : undefined
      if (range !== undefined || content.length > 0) insert(current, content, range)
    }
    const { entity, command, run } = suggestion
    let selection: CommandSelection | undefined
    if (entity !== undefined) {
      selection = { type: 'entity', entity }
    } else if (command !== undefined) {
      setWorking(true)
      try {
        selection = (await onSelect?.(command)) ?? undefined
      } catch (error) {
        console.warn('A command failed.', error)
        setProblem(text('actionFailed'))
        return
      } finally {
        setWorking(false)
      }
      if (editor.current !== current) return
    }
    if (selection?.type === 'menu') {
      put(textContent('/'))
      setMenu(selection.commands)
      return
    }
    put(selection === undefined ? noContent : [tagOf(selection.entity), SPACE])
    run?.()
  }

  /** Return whether a key is for the menu. */
  const onMenuKey = ({ key, shiftKey }: KeyboardEvent): boolean => {
    if (open === null) return false
    const count = open.list.length
    if (key === 'Escape') close()
    else if (isWorking) return key === 'Enter' || key === 'Tab'
    else if (key === 'ArrowDown' && count > 0) setActive((active + 1) % count)
    else if (key === 'ArrowUp' && count > 0) setActive((active - 1 + count) % count)
    else if ((key === 'Enter' || key === 'Tab') && !shiftKey && chosen) void choose(chosen)
    // Who is faster than the search does not send half a name.
    else if (key !== 'Enter' || shiftKey || open.status !== 'searching') return false
    return true
  }
  const onKey = (event: KeyboardEvent): boolean => {
    // While an input method composes, its keys are its own.
    if (event.isComposing || event.keyCode === 229) return false
    if (onMenuKey(event)) {
      event.stopPropagation()
      return true
    }
    if (event.key === 'Escape' && props.onEscape !== undefined) {
      props.onEscape()
      return true
    }
    if (event.key !== 'Enter' || event.shiftKey || event.altKey) return false
    if (isPhone() && !event.ctrlKey && !event.metaKey) {
      return editor.current?.commands.splitBlock() ?? false
    }
    props.onSend()
    return true
  }
  const latest = useRef({ props, look, onKey, withdraw })
  useLayoutEffect(() => {
    latest.current = { props, look, onKey, withdraw }
  })

  const attributes = useRef<Record<string, string>>({})
  attributes.current = {
    class: 'editor-text',
    role: 'textbox',
    'aria-multiline': 'true',
    'aria-label': label,
    enterkeyhint: isPhone() ? 'enter' : 'send',
    ...(placeholder !== '' && { 'aria-placeholder': placeholder }),
    ...(signs.length > 0 && { 'aria-autocomplete': 'list', 'aria-haspopup': 'listbox' }),
    ...(open !== null && open.list.length > 0 && { 'aria-controls': listId }),
    ...(chosen && open && { 'aria-activedescendant': `${listId}-${open.list.indexOf(chosen)}` }),
  }

  useLayoutEffect(() => {
    if (host.current === null) return undefined
    const made: TipTap = new TipTap({
      element: host.current,
      injectCSS: false,
      enableInputRules: false,
      enablePasteRules: false,
      // As text, it would be parsed as HTML, which pages with Trusted Types forbid.
      content: { type: Document.name, content: [{ type: Line.name }] },
      extensions: [Document, Line, Text, TagNode.configure({ places }), History],
      editorProps: {
        attributes: () => attributes.current,
        handleKeyDown: (_, event) => latest.current.onKey(event),
        clipboardTextSerializer: copied,
        handlePaste: (_, event) => paste(made, event, latest.current.props.onFiles),
        handleDrop: (view, event) => drop(made, view, event),
      },
      onUpdate: () => {
        const { props, look } = latest.current
        told.current = contentOf(made.state.doc.content)
        props.onChange(told.current)
        look()
      },
      onSelectionUpdate: () => latest.current.look(),
      onFocus: () => setFocused(true),
      onBlur: () => {
        setFocused(false)
        latest.current.withdraw()
      },
    })
    editor.current = made
    replace(made, told.current)
    return () => {
      editor.current = null
      made.destroy()
    }
  }, [places])

  useEffect(() => {
    if (autoFocus) editor.current?.view.focus()
  }, [])

  // What somebody else has written takes the place of what is there, and cannot be undone.
  useLayoutEffect(() => {
    if (editor.current === null || content === told.current) return
    told.current = content
    replace(editor.current, content)
    latest.current.look()
  }, [content])

  // The editor asks for its attributes when its state is set.
  const shown = JSON.stringify(attributes.current)
  useLayoutEffect(() => {
    editor.current?.view.updateState(editor.current.state)
  }, [shown])

  useEffect(() => setActive(0), [open?.list])
  useEffect(() => {
    latest.current.look()
  }, [signs.join('')])

  /** Write where the caret is. Without the focus, a browser would put the caret elsewhere later. */
  const write = (given: string): void => {
    const { current } = editor
    if (current === null) return
    current.view.focus()
    insert(current, textContent(spaced(current, given)))
  }
  useImperativeHandle(ref, () => ({
    focus: () => editor.current?.view.focus(),
    insert: write,
    mention: () => {
      setDismissed(null)
      write('@')
      offered.current = editor.current?.state.selection.from ?? 0
      offered.current -= 1
    },
  }))

  return (
    <div className="editor">
      <div
        ref={host}
        className="editor-host"
        data-placeholder={content.length === 0 ? placeholder : ''}
      />
      {tags.map(({ element, tag }, index) => createPortal(<Tag key={index} tag={tag} />, element))}
      {open !== null && (
        <SuggestionMenu
          id={listId}
          suggestions={open}
          problem={problem}
          isWorking={isWorking}
          active={chosen === undefined ? -1 : open.list.indexOf(chosen)}
          onPoint={setActive}
          onChoose={(suggestion) => void choose(suggestion)}
        />
      )}
    </div>
  )
}

/** Whether there are only the keys of a screen, where a new line needs the key that sends elsewhere. */
function isPhone(): boolean {
  return matchMedia('(pointer: coarse) and (hover: none)').matches
}

function isSame(one: Found | null, other: Found | null): boolean {
  return one?.from === other?.from && one?.sign === other?.sign && one?.query === other?.query
}

function triggerBefore(editor: TipTap, signs: Trigger['sign'][]): Found | null {
  const { empty, $from } = editor.state.selection
  if (!empty || signs.length === 0) return null
  // No search is longer than this.
  const start = Math.max(0, $from.parentOffset - 100)
  const before = $from.parent.textBetween(start, $from.parentOffset, '\n', TAG)
  const found = triggerIn(before, signs)
  return found && { ...found, from: $from.pos - found.length }
}

/** Put content in the place of all that is there; what was before cannot be had back by undoing. */
function replace(editor: TipTap, content: Content): void {
  const { schema, plugins } = editor.state
  const doc = schema.topNodeType.create(null, linesOf(content, schema))
  editor.view.updateState(EditorState.create({ doc, plugins, selection: Selection.atEnd(doc) }))
}

/** Return text with a space before it, where it would run into what is there. */
function spaced(editor: TipTap, text: string): string {
  const { $from } = editor.state.selection
  const before = $from.parent.textBetween(0, $from.parentOffset, '\n', TAG)
  return before === '' || /\s$/.test(before) ? text : ` ${text}`
}
