import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from 'react'

import { useChat, useText } from '../ui/context'
import { IconButton } from '../ui/IconButton'
import { AttachIcon, CloseIcon, DictateIcon, MentionIcon, SendIcon, StopIcon } from '../ui/icons'
import { Markdown } from '../markdown/Markdown'
import { Note } from '../ui/Note'
import { useStore } from '../ui/useStore'
import { isBlank } from './content'
import { DictationBar } from './DictationBar'
import type { Draft } from '../chat/drafts'
import { Editor, type EditorHandle } from './Editor'
import { FileDrop } from './FileDrop'
import { Files } from './Files'
import { preloadPreviews } from '../ui/Previewable'
import { useDictation } from './useDictation'
import { useOwnCommands } from './useOwnCommands'

// What has menus is loaded where it is used.
const Models = lazy(() => import('./Models'))
const Tools = lazy(() => import('./Tools'))

/** Where a person writes. */
export function Composer() {
  const chat = useChat()
  const draft = useStore(chat.state, (state) => state.draft)
  // Each draft has an editor of its own, with what can be undone in it.
  return <DraftComposer key={draft.id} draft={draft} />
}

function DraftComposer({ draft }: { draft: Draft }) {
  const chat = useChat()
  const text = useText()
  const options = useStore(chat.state, (state) => state.options)
  const isResponding = useStore(chat.state, (state) => state.isResponding)
  const allowCancel = useStore(chat.state, (state) => state.thread.allowCancel)
  const toolId = useStore(chat.state, (state) => state.toolId)
  const content = useStore(draft.state, (state) => state.content)
  const reply = useStore(draft.state, (state) => state.reply)
  const { files, refusal } = useStore(draft.uploads.state, (state) => state)
  const [hasTried, setTried] = useState(false)
  const editor = useRef<EditorHandle>(null)
  const picker = useRef<HTMLInputElement>(null)
  const dictating = useDictation(chat, (said) => editor.current?.insert(said))
  const { dictation } = dictating

  useEffect(() => {
    chat.focus = () => editor.current?.focus()
    return () => {
      chat.focus = () => {}
    }
  }, [chat])

  const { composer, entities, disclaimer } = options ?? {}
  const hasPreviews = entities?.onRequestPreview !== undefined
  useEffect(() => {
    if (hasPreviews) void preloadPreviews()
  }, [hasPreviews])
  const { attachments: limits } = composer ?? {}
  const takesFiles = limits?.enabled === true
  const tool = composer?.tools?.find(({ id }) => id === toolId)
  const isEmpty = isBlank(content) && files.length === 0
  const obstacle = draft.uploads.hasFailed()
    ? text('filesFailed')
    : draft.uploads.isUploading()
      ? text('filesOnTheirWay')
      : null
  const isReady = !isEmpty && obstacle === null && dictation.state === 'off'

  const send = (): void => {
    setTried(obstacle !== null)
    if (isReady) void chat.submit()
  }
  const take = useCallback(
    (list: Iterable<File>): boolean => {
      const given = [...list]
      if (!takesFiles || given.length === 0) return false
      draft.uploads.upload(given, limits)
      return true
    },
    [draft, takesFiles, limits],
  )
  const attach = takesFiles ? () => picker.current?.click() : null
  const mention = entities?.onTagSearch ? () => editor.current?.mention() : null
  const dictate = composer?.dictation?.enabled === true ? dictating.start : null
  const commands = useOwnCommands({ attach, mention, dictate })
  const accept = useMemo(
    () =>
      Object.entries(limits?.accept ?? {})
        .flat(2)
        .join(','),
    [limits?.accept],
  )

  const problem = refusal ?? (dictation.state === 'off' ? dictation.problem : null)
  return (
    <footer className="column composer">
      {problem !== null && (
        <div role="alert">
          <Note level="warning">
            <span className="lines">{problem}</span>
          </Note>
        </div>
      )}
      {hasTried && obstacle !== null && (
        <div role="status">
          <Note level="info">{obstacle}</Note>
        </div>
      )}
      <FileDrop onFiles={takesFiles ? take : null} />
      <div className="composer-box">
        {reply !== null && (
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
        )}
        <Files uploads={draft.uploads} />
        <Editor
          ref={editor}
          label={text('message')}
          placeholder={tool?.placeholderOverride ?? composer?.placeholder ?? text('placeholder')}
          content={content}
          onChange={(changed) => draft.state.set({ content: changed })}
          onSend={send}
          onFiles={take}
          commands={commands}
        />
        {dictation.state === 'recording' || dictation.state === 'transcribing' ? (
          <DictationBar {...dictating} />
        ) : (
          <div className="composer-bar">
            {attach !== null && (
              <>
                <IconButton label={text('attachFiles')} onClick={attach}>
                  <AttachIcon />
                </IconButton>
                <input
                  ref={picker}
                  type="file"
                  multiple={limits?.maxCount !== 1}
                  hidden
                  accept={accept}
                  onChange={(event) => {
                    if (event.target.files !== null) take(event.target.files)
                    event.target.value = ''
                    chat.focus()
                  }}
                />
              </>
            )}
            {mention !== null && entities?.showComposerMenu === true && (
              <IconButton label={text('mention')} onClick={mention}>
                <MentionIcon />
              </IconButton>
            )}
            {(composer?.tools?.length ?? 0) > 0 && (
              <Suspense>
                <Tools />
              </Suspense>
            )}
            <div className="composer-end">
              {(composer?.models?.length ?? 0) > 0 && (
                <Suspense>
                  <Models />
                </Suspense>
              )}
              {dictate !== null && (
                <IconButton
                  label={text('dictate')}
                  disabled={dictation.state === 'asking'}
                  onClick={dictate}
                >
                  <DictateIcon />
                </IconButton>
              )}
              {isResponding && allowCancel && (
                <button
                  type="button"
                  className="send"
                  aria-label={text('stop')}
                  title={text('stop')}
                  onClick={chat.stop}
                >
                  <StopIcon />
                </button>
              )}
              {!(isResponding && allowCancel && isEmpty) && (
                <button
                  type="button"
                  className="send"
                  aria-label={text('send')}
                  title={obstacle ?? text('send')}
                  // What only waits for files says so when it is pressed.
                  disabled={!isReady && (isEmpty || obstacle === null)}
                  aria-disabled={!isReady}
                  onClick={send}
                >
                  <SendIcon />
                </button>
              )}
            </div>
          </div>
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
