import { File } from '@openai/apps-sdk-ui/components/Icon'

import { useChat, useText } from '../ui/context'
import { FileName } from '../ui/FileName'
import { IconButton } from '../ui/IconButton'
import { CloseIcon, RetryIcon } from '../ui/icons'
import { useStore } from '../ui/useStore'
import type { Upload, Uploads } from '../chat/uploads'

/** The attached files, with their upload progress. */
export function Files({ uploads }: { uploads: Uploads }) {
  const files = useStore(uploads.state, (state) => state.files)
  const news = useStore(uploads.state, (state) => state.news)
  return (
    <>
      <p className="visually-hidden" role="status">
        {news}
      </p>
      {files.length > 0 && (
        <ul className="files">
          {files.map((file) => (
            <FileRow key={file.key} file={file} uploads={uploads} />
          ))}
        </ul>
      )}
    </>
  )
}

function FileRow({ file, uploads }: { file: Upload; uploads: Uploads }) {
  const chat = useChat()
  const text = useText()
  const limits = useStore(chat.state, ({ options }) => options?.composer?.attachments)
  const { key, name, preview, progress, attachment, error } = file
  const isUploading = attachment === null && error === null
  return (
    <li className={error === null ? 'file' : 'file failed'}>
      {preview === null ? <File className="file-icon" aria-hidden /> : <img src={preview} alt="" />}
      <span className="file-text">
        <FileName name={name} />
        {isUploading && (
          <progress
            aria-label={text('uploading', { name })}
            {...(progress !== null && { value: progress })}
          />
        )}
      </span>
      {error !== null && limits?.enabled === true && (
        <IconButton small label={text('uploadAgain', { name })} onClick={() => uploads.retry(key)}>
          <RetryIcon />
        </IconButton>
      )}
      <IconButton
        small
        label={text('removeFile', { name })}
        onClick={() => {
          uploads.remove(key)
          chat.focus()
        }}
      >
        <CloseIcon />
      </IconButton>
      {error !== null && (
        <span className="file-error" ref={scrollIntoView}>
          {error}
        </span>
      )}
    </li>
  )
}

function scrollIntoView(element: Element | null): void {
  element?.scrollIntoView({ block: 'nearest' })
}
