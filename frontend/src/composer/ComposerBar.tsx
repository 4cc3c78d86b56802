import { Suspense, useMemo, type RefObject } from 'react'

import { useChat, useText } from '../ui/context'
import { IconButton } from '../ui/IconButton'
import { AttachIcon, DictateIcon, MentionIcon, SendIcon, StopIcon } from '../ui/icons'
import { part } from '../ui/part'
import { ariaKeysOf } from '../ui/shortcutKeys'
import { useStore } from '../ui/useStore'
import type { SendingState, Take } from './Composer'

// Components with menus are loaded when they are needed.
const Models = part(() => import('./Models'))
const Tools = part(() => import('./Tools'))

interface ComposerBarProps {
  /** The actions of the buttons; `null` hides a button. */
  actions: Record<'attach' | 'mention' | 'dictate', (() => void) | null>
  picker: RefObject<HTMLInputElement | null>
  onFiles: Take | null
  /** Whether the browser asks for the microphone. */
  isAsking: boolean
  sending: SendingState
}

/** The buttons below the text. */
export function ComposerBar({ actions, picker, onFiles, isAsking, sending }: ComposerBarProps) {
  const chat = useChat()
  const text = useText()
  const options = useStore(chat.state, (state) => state.options)
  const { composer, entities } = options ?? {}
  const { attach, mention, dictate } = actions
  return (
    <div className="composer-bar">
      {attach !== null && (
        <>
          <IconButton label={text('attachFiles')} onClick={attach}>
            <AttachIcon />
          </IconButton>
          <FilePicker ref={picker} onFiles={onFiles} />
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
          <IconButton label={text('dictate')} disabled={isAsking} onClick={dictate}>
            <DictateIcon />
          </IconButton>
        )}
        <SendButtons {...sending} />
      </div>
    </div>
  )
}

interface FilePickerProps {
  ref: RefObject<HTMLInputElement | null>
  onFiles: Take | null
}

function FilePicker({ ref, onFiles }: FilePickerProps) {
  const chat = useChat()
  const limits = useStore(chat.state, ({ options }) => options?.composer?.attachments)
  const accept = useMemo(
    () =>
      Object.entries(limits?.accept ?? {})
        .flat(2)
        .join(','),
    [limits?.accept],
  )
  return (
    <input
      ref={ref}
      type="file"
      multiple={limits?.maxCount !== 1}
      hidden
      accept={accept}
      onChange={(event) => {
        if (event.target.files !== null) onFiles?.(event.target.files)
        event.target.value = ''
        chat.focus()
      }}
    />
  )
}

function SendButtons({ isEmpty, isReady, obstacle, send }: SendingState) {
  const chat = useChat()
  const text = useText()
  const canStop = useStore(
    chat.state,
    ({ isResponding, thread }) => isResponding && thread.allowCancel,
  )
  const isStopping = useStore(chat.state, (state) => state.isStopping)
  return (
    <>
      {canStop && (
        <button
          type="button"
          className="send"
          aria-label={text('stop')}
          title={text('stop')}
          aria-keyshortcuts={ariaKeysOf('stop')}
          aria-busy={isStopping || undefined}
          onClick={chat.stop}
        >
          <StopIcon />
        </button>
      )}
      {!(canStop && isEmpty) && (
        <button
          type="button"
          className="send"
          aria-label={text('send')}
          title={obstacle ?? text('send')}
          // If the message only waits for files, pressing the button says so.
          disabled={!isReady && (isEmpty || obstacle === null)}
          aria-disabled={!isReady}
          onClick={send}
        >
          <SendIcon />
        </button>
      )}
    </>
  )
}
