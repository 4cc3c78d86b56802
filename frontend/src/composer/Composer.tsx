import { useCallback, useEffect, useLayoutEffect, useRef, type RefObject } from 'react'

import type { Draft } from '../chat/drafts'
import { Markdown } from '../markdown/Markdown'
import { useChat, useText } from '../ui/context'
import { IconButton } from '../ui/IconButton'
import { CloseIcon } from '../ui/icons'
import { Note } from '../ui/Note'
import { useStore } from '../ui/useStore'
import { ComposerBar } from './ComposerBar'
import { isBlank } from '../chat/content'
import { DictationBar } from './DictationBar'
import { Editor, type EditorHandle } from './Editor'
import { FileDrop } from './FileDrop'
import { Files } from './Files'
import { preloadPreviews } from '../ui/Previewable'
import { useDictation } from './useDictation'
import { useOwnCommands } from './useOwnCommands'

/** The area in which the user writes a message. */
export function Composer() {
  const chat = useChat()
  const draft = useStore(chat.state, (state) => state.draft)
  // Each draft has its own editor, with its own undo history.
  const hadFocus = useRef(false)
  return <DraftComposer key={draft.id} draft={draft} hadFocus={hadFocus} />
}

interface DraftComposerProps {
  draft: Draft
  /** Whether the editor of the previous draft had the focus. */
  hadFocus: RefObject<boolean>
}

function DraftComposer({ draft, hadFocus }: DraftComposerProps) {
  const chat = useChat()
  const text = useText()
  const options = useStore(chat.state, (state) => state.options)
  const toolId = useStore(chat.state, (state) => state.toolId)
  const content = useStore(draft.state, (state) => state.content)
  const refusal = useStore(draft.uploads.state, (state) => state.refusal)
  const editor = useRef<EditorHandle>(null)
  const picker = useRef<HTMLInputElement>(null)
  const dictating = useDictation(chat, (spoken) => editor.current?.insert(spoken))
  const { dictation } = dictating
  const sending = useSending(draft, dictation.state === 'off')
  const take = useTake(draft)
  useFocus(editor)
  const box = useRef<HTMLDivElement>(null)
  useFocusPassedOn(box, editor, hadFocus)

  const { composer, entities, disclaimer } = options ?? {}
  const tool = composer?.tools?.find(({ id }) => id === toolId)
  const actions = {
    attach: take === null ? null : () => picker.current?.click(),
    mention: entities?.onTagSearch ? () => editor.current?.mention() : null,
    dictate: composer?.dictation?.enabled === true ? dictating.start : null,
  }
  const commands = useOwnCommands(actions)
  const problem = refusal ?? (dictation.state === 'off' ? dictation.problem : null)
  return (
    <footer className="column composer">
      <Notes problem={problem} obstacle={sending.hasTried ? sending.obstacle : null} />
      <FileDrop onFiles={take} />
      <div ref={box} className="composer-box">
        <Replying draft={draft} />
        <Files uploads={draft.uploads} />
        <Editor
          ref={editor}
          label={text('message')}
          placeholder={tool?.placeholderOverride ?? composer?.placeholder ?? text('placeholder')}
          content={content}
          onChange={(changed) => draft.state.set({ content: changed })}
          onSend={sending.send}
          onUp={() => draft.uploads.state.get().files.length === 0 && chat.editLast()}
          {...(take !== null && { onFiles: take })}
          commands={commands}
        />
        {dictation.state === 'recording' || dictation.state === 'transcribing' ? (
          <DictationBar {...dictating} />
        ) : (
          <ComposerBar
            actions={actions}
            picker={picker}
            onFiles={take}
            isAsking={dictation.state === 'asking'}
            sending={sending}
          />
        )}
      </div>
      {disclaimer && (
        <div className={disclaimer.highContrast ? 'disclaimer contrast' : 'disclaimer'}>
          <Markdown text={disclaimer.text} />
        </div>
      )}
    </footer>
  )
}

/** Take the focus if the previous draft's editor had it, and pass it on to the next one. */
function useFocusPassedOn(
  box: RefObject<HTMLElement | null>,
  editor: RefObject<EditorHandle | null>,
  hadFocus: RefObject<boolean>,
): void {
  useEffect(() => {
    if (hadFocus.current) editor.current?.focus()
    hadFocus.current = false
  }, [editor, hadFocus])
  useLayoutEffect(() => {
    const element = box.current
    return () => {
      hadFocus.current = element?.contains(document.activeElement) ?? false
    }
  }, [box, hadFocus])
}

export interface SendingState {
  isEmpty: boolean
  isReady: boolean
  /** The reason why the message cannot be sent yet. */
  obstacle: string | null
  /** Whether the user tried to send it anyway. */
  hasTried: boolean
  send: () => void
}

function useSending(draft: Draft, isWriting: boolean): SendingState {
  const chat = useChat()
  const text = useText()
  const content = useStore(draft.state, (state) => state.content)
  const files = useStore(draft.uploads.state, (state) => state.files)
  const { tried } = useStore(draft.trying, (state) => state)
  const hasTried = tried?.content === content && tried.files === files.length
  const isEmpty = isBlank(content) && files.length === 0
  const hasFailed = draft.uploads.hasFailed()
  const isUploading = draft.uploads.isUploading()
  const obstacle = hasFailed ? text('filesFailed') : isUploading ? text('filesOnTheirWay') : null
  const isReady = !isEmpty && obstacle === null && isWriting
  const send = (): void => {
    if (!isWriting) return
    const { content } = draft.state.get()
    const waiting = { content, files: files.length, isWaiting: !hasFailed }
    draft.trying.set({ tried: obstacle === null ? null : waiting })
    void chat.submit()
  }
  const isWaiting = hasTried && tried.isWaiting
  useEffect(() => {
    if (!isWaiting || (isUploading && !hasFailed && isWriting)) return
    draft.trying.set({ tried: { ...tried, isWaiting: false } })
    if (isReady) void chat.submit()
  }, [chat, draft, tried, isWaiting, isUploading, hasFailed, isWriting, isReady])
  return { isEmpty, isReady, obstacle, hasTried: isWaiting || (hasTried && hasFailed), send }
}

export type Take = (list: Iterable<File>) => boolean

/** Return a function that uploads files and returns whether there were any; `null` if disabled. */
function useTake(draft: Draft): Take | null {
  const limits = useStore(useChat().state, ({ options }) => options?.composer?.attachments)
  const take = useCallback(
    (list: Iterable<File>): boolean => {
      const given = [...list]
      if (given.length > 0) draft.uploads.upload(given, limits)
      return given.length > 0
    },
    [draft, limits],
  )
  return limits?.enabled === true ? take : null
}

function useFocus(editor: { current: EditorHandle | null }): void {
  const chat = useChat()
  const hasPreviews = useStore(chat.state, ({ options }) => !!options?.entities?.onRequestPreview)
  useEffect(() => {
    chat.focus = () => editor.current?.focus()
    return () => {
      chat.focus = () => {}
    }
  }, [chat, editor])
  useEffect(() => {
    if (hasPreviews) void preloadPreviews()
  }, [hasPreviews])
}

function Notes({ problem, obstacle }: { problem: string | null; obstacle: string | null }) {
  return (
    <>
      {problem !== null && (
        <div role="alert">
          <Note level="warning">
            <span className="note-lines">{problem}</span>
          </Note>
        </div>
      )}
      <div role="status">{obstacle !== null && <Note level="info">{obstacle}</Note>}</div>
    </>
  )
}

/** The quoted text to which the message replies. */
function Replying({ draft }: { draft: Draft }) {
  const chat = useChat()
  const text = useText()
  const reply = useStore(draft.state, (state) => state.reply)
  if (reply === null) return null
  return (
    <div className="replying">
      <blockquote className="quote" dir="auto">
        {reply}
      </blockquote>
      <IconButton
        small
        label={text('doNotQuote')}
        onClick={() => {
          chat.setDraft({ reply: null })
          chat.focus()
        }}
      >
        <CloseIcon />
      </IconButton>
    </div>
  )
}
