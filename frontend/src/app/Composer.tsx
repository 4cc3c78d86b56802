import { useEffect, useRef, useState, type ClipboardEvent, type DragEvent, type KeyboardEvent } from 'react'

import { isBlank, textContent, textOf } from './composer/content'
import { useChat, useText } from './context'
import { AttachIcon, CloseIcon, SendIcon, StopIcon } from './icons'
import { IconButton } from './IconButton'
import { useStore } from './store'

/** Where a person writes. */
export function Composer() {
  const chat = useChat()
  const text = useText()
  const options = useStore(chat.state, (state) => state.options)
  const draft = useStore(chat.state, (state) => state.draft)
  const content = useStore(draft.state, (state) => state.content)
  const reply = useStore(draft.state, (state) => state.reply)
  const isResponding = useStore(chat.state, (state) => state.isResponding)
  const allowCancel = useStore(chat.state, (state) => state.thread.allowCancel)
  const toolId = useStore(chat.state, (state) => state.toolId)
  const modelId = useStore(chat.state, (state) => state.modelId)
  const files = useStore(draft.uploads.state, (state) => state.files)
  const refusal = useStore(draft.uploads.state, (state) => state.refusal)
  const [isDropping, setDropping] = useState(false)
  const textarea = useRef<HTMLTextAreaElement>(null)
  const picker = useRef<HTMLInputElement>(null)

  useEffect(() => {
    chat.focus = () => textarea.current?.focus()
  }, [chat])

  const { composer, disclaimer } = options ?? {}
  const takesFiles = composer?.attachments?.enabled === true
  const tools = composer?.tools ?? []
  const models = composer?.models ?? []
  const tool = tools.find((each) => each.id === toolId)
  const isUploading = files.some((file) => file.attachment === null)
  const isEmpty = isBlank(content) && !files.some((file) => file.attachment !== null)
  const canSend = !isEmpty && !isUploading && !isResponding

  const onKeyDown = (event: KeyboardEvent): void => {
    // While an input method composes, Enter is its own.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    if (canSend) void chat.submit()
  }
  const take = (list: FileList | null | undefined): boolean => {
    if (!takesFiles || !list || list.length === 0) return false
    draft.uploads.upload([...list], options?.composer?.attachments)
    return true
  }
  const onPaste = (event: ClipboardEvent): void => {
    if (take(event.clipboardData.files)) event.preventDefault()
  }
  const onDrop = (event: DragEvent): void => {
    setDropping(false)
    if (take(event.dataTransfer.files)) event.preventDefault()
  }

  return (
    <footer className="column composer">
      {refusal !== null && (
        <p className="note warning" role="alert">
          <span>{refusal}</span>
        </p>
      )}
      <div
        className={isDropping ? 'composer-box dropping' : 'composer-box'}
        onDragOver={(event) => {
          if (!takesFiles) return
          event.preventDefault()
          setDropping(true)
        }}
        onDragLeave={() => setDropping(false)}
        onDrop={onDrop}
      >
        {reply !== null && (
          <div className="files">
            <div className="file">
              <span>{reply}</span>
              <IconButton
                small
                label={text('doNotQuote')}
                onClick={() => chat.setDraft({ reply: null })}
              >
                <CloseIcon />
              </IconButton>
            </div>
          </div>
        )}
        {files.length > 0 && (
          <div className="files">
            {files.map((file) => (
              <div key={file.key} className={file.error === null ? 'file' : 'file failed'}>
                {file.preview !== null && <img src={file.preview} alt="" />}
                <span className={file.attachment || file.error ? '' : 'waiting'}>
                  {file.error === null ? file.name : `${file.name}: ${file.error}`}
                </span>
                <IconButton
                  small
                  label={text('removeFile', { name: file.name })}
                  onClick={() => draft.uploads.remove(file.key)}
                >
                  <CloseIcon />
                </IconButton>
              </div>
            ))}
          </div>
        )}
        <textarea
          ref={textarea}
          rows={1}
          value={textOf(content)}
          aria-label={text('message')}
          placeholder={tool?.placeholderOverride ?? composer?.placeholder ?? text('placeholder')}
          onChange={(event) => chat.setDraft({ content: textContent(event.target.value) })}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
        />
        <div className="composer-bar">
          {takesFiles && (
            <>
              <IconButton label={text('attachFiles')} onClick={() => picker.current?.click()}>
                <AttachIcon />
              </IconButton>
              <input
                ref={picker}
                type="file"
                multiple
                hidden
                accept={Object.entries(composer?.attachments?.accept ?? {}).flat(2).join(',')}
                onChange={(event) => {
                  take(event.target.files)
                  event.target.value = ''
                }}
              />
            </>
          )}
          {tools.length > 0 && (
            <select
              aria-label={text('tools')}
              value={toolId ?? ''}
              onChange={(event) => chat.chooseTool(event.target.value || null)}
            >
              <option value="">{text('tools')}</option>
              {tools.map((each) => (
                <option key={each.id} value={each.id}>
                  {each.label}
                </option>
              ))}
            </select>
          )}
          <span className="spacer" />
          {models.length > 0 && (
            <select
              aria-label={text('model')}
              value={modelId ?? ''}
              onChange={(event) => chat.state.set({ modelId: event.target.value })}
            >
              {models.map((each) => (
                <option key={each.id} value={each.id} disabled={each.disabled}>
                  {each.label}
                </option>
              ))}
            </select>
          )}
          {isResponding && allowCancel ? (
            <button type="button" className="send" aria-label={text('stop')} onClick={chat.stop}>
              <StopIcon />
            </button>
          ) : (
            <button
              type="button"
              className="send"
              aria-label={text('send')}
              disabled={!canSend}
              onClick={() => void chat.submit()}
            >
              <SendIcon />
            </button>
          )}
        </div>
      </div>
      {disclaimer && (
        <p className={disclaimer.highContrast ? 'disclaimer contrast' : 'disclaimer'}>
          {disclaimer.text}
        </p>
      )}
    </footer>
  )
}
