import {
  useEffect,
  useEffectEvent,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
  type ClipboardEvent,
  type KeyboardEvent as ReactKeyboardEvent,
  type Ref,
  type RefObject,
} from 'react'

import { Store } from '../chat/store'
import { isOfInputMethod } from '../ui/isOfInputMethod'
import { useStore } from '../ui/useStore'
import { patiently } from '../chat/patiently'
import type { Content } from '../chat/content'
import { pastedText } from './pasted'
import { focus, read, type, write } from './plainField'
import type { OwnCommand } from './useSuggestions'

export interface EditorHandle {
  focus: () => void
  /** Insert text at the caret, and focus the editor. */
  insert: (text: string) => void
  /** Start searching for a tag. */
  mention: () => void
}

export interface EditorProps {
  ref?: Ref<EditorHandle>
  label: string
  placeholder?: string
  content: Content
  onChange: (content: Content) => void
  /** Called with the current content, which may not be rendered yet. */
  onSend: (content: Content) => void
  onEscape?: () => void
  /** Called for Arrow Up in an empty editor; returns whether it handled the key. */
  onUp?: () => boolean
  /** Called with pasted files; returns whether it accepts them. */
  onFiles?: (files: FileList) => boolean
  autoFocus?: boolean
  /** The composer's own commands in the `/` menu; without them, there is no such menu. */
  commands?: readonly OwnCommand[]
}

/** The plain field, which the rich editor takes over. */
export interface Field {
  element: RefObject<HTMLDivElement | null>
  /** The content before the user typed. */
  before: RefObject<Content>
  /** The content last passed to the parent, or received from it. */
  reported: RefObject<Content | null>
}

type RichEditor = typeof import('./RichEditor')['default']

/** Milliseconds to wait after a composition, because the next one often starts at once. */
const REST = 300

/** The rich editor, once its code has loaded. It is most of the composer's code. */
const rich = new Store<{ RichEditor: RichEditor | null }>({ RichEditor: null })
let loading: Promise<void> | null = null

/** Load the editor. If that fails, the next call tries again. */
export function loadEditor(): Promise<void> {
  loading ??= patiently(() => import('./RichEditor')).then(
    (module) => rich.set({ RichEditor: module.default }),
    (error: unknown) => {
      console.warn('The editor could not be loaded. Text can be written without it.', error)
      loading = null
    },
  )
  return loading
}

/**
 * An editor for text with tags, and menus to find tags and commands.
 *
 * It starts as a plain field. The rich editor takes over the field's element when it has loaded, so
 * that focus, keyboard and caret stay as they are.
 */
export function Editor(props: EditorProps) {
  const { label, placeholder = '', content } = props
  const RichEditor = useStore(rich, (state) => state.RichEditor)
  const [isComposing, setComposing] = useState(false)
  const isRich = RichEditor !== null && !isComposing
  const field = useField(content, isRich)
  const handle = useRef<EditorHandle>(null)
  const offersTags = useRef(false)

  const takeFocus = (): void => {
    if (handle.current !== null) handle.current.focus()
    else focus(field.element.current!)
  }
  useImperativeHandle(props.ref, () => ({
    focus: takeFocus,
    insert: (text) => {
      if (handle.current !== null) handle.current.insert(text)
      else type(field.element.current!, text)
    },
    mention: () => {
      offersTags.current = handle.current === null
      handle.current?.mention()
    },
  }))
  useEffect(() => {
    if (isRich && offersTags.current) handle.current?.mention()
    offersTags.current = false
  }, [isRich])
  const begin = useEffectEvent(() => {
    if (props.autoFocus === true) takeFocus()
  })
  useEffect(() => begin(), [])

  const onKey = (event: KeyboardEvent): boolean => {
    const written = field.reported.current ?? content
    if (event.key === 'Escape' && props.onEscape !== undefined) {
      props.onEscape()
      return true
    }
    const hasModifier = event.shiftKey || event.altKey
    if (event.key === 'ArrowUp' && !hasModifier && written.length === 0) {
      return props.onUp?.() ?? false
    }
    if (event.key !== 'Enter' || hasModifier) return false
    if (isPhone() && !event.ctrlKey && !event.metaKey) return false
    props.onSend(written)
    return true
  }
  const plain = usePlain(field, props, { onKey, setComposing })
  return (
    <div className="editor">
      <div className="editor-host" data-placeholder={content.length === 0 ? placeholder : ''}>
        <div
          ref={field.element}
          className="editor-text"
          role="textbox"
          tabIndex={0}
          contentEditable="plaintext-only"
          aria-multiline
          aria-label={label}
          enterKeyHint={isPhone() ? 'enter' : 'send'}
          {...(placeholder !== '' && { 'aria-placeholder': placeholder })}
          {...(!isRich && plain)}
        />
      </div>
      {isRich && <RichEditor {...props} ref={handle} field={field} onKey={onKey} />}
    </div>
  )
}

function useField(content: Content, isRich: boolean): Field {
  const element = useRef<HTMLDivElement>(null)
  const before = useRef(content)
  const reported = useRef<Content>(null)
  useLayoutEffect(() => {
    if (isRich || reported.current === content) return
    before.current = reported.current = content
    write(element.current!, content)
  }, [content, isRich])
  return { element, before, reported }
}

interface Plain {
  onKey: (event: KeyboardEvent) => boolean
  setComposing: (isComposing: boolean) => void
}

/** Return the event handlers of the plain field. */
function usePlain(
  { element, reported }: Field,
  props: EditorProps,
  { onKey, setComposing }: Plain,
) {
  const rest = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => {
    void loadEditor()
    return () => clearTimeout(rest.current)
  }, [])
  return {
    onFocus: () => void loadEditor(),
    onInput: () => props.onChange((reported.current = read(element.current!))),
    onKeyDown: (event: ReactKeyboardEvent) => {
      if (!isOfInputMethod(event.nativeEvent) && onKey(event.nativeEvent)) event.preventDefault()
    },
    onPaste: (event: ClipboardEvent) => {
      const { types } = event.clipboardData
      const text = pastedText(event.clipboardData, props.onFiles)
      // The browser pastes plain text itself.
      if (text !== null && types.includes('text/plain')) return
      event.preventDefault()
      if (text !== null) document.execCommand('insertText', false, text)
    },
    onCompositionStart: () => {
      clearTimeout(rest.current)
      setComposing(true)
    },
    onCompositionEnd: () => {
      rest.current = setTimeout(() => setComposing(false), REST)
    },
  }
}

/** Return whether there is only an on-screen keyboard, where Enter must start a new line. */
function isPhone(): boolean {
  return matchMedia('(pointer: coarse) and (hover: none)').matches
}
