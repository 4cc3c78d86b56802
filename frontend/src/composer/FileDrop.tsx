import { useEffect, useState } from 'react'
import { createPortal } from 'react-dom'

import { useText } from '../ui/context'
import { filesOf } from './dropped'
import { AttachIcon } from '../ui/icons'

interface FileDropProps {
  /** Called with the files; if `null`, browsers still must not open them in place of the chat. */
  onFiles: ((files: readonly File[]) => void) | null
}

const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') === true

/** Accepts files that are dropped anywhere on the chat. */
export function FileDrop({ onFiles }: FileDropProps) {
  const text = useText()
  const [isOver, setOver] = useState(false)
  useEffect(() => {
    const over = (event: DragEvent): void => {
      if (!hasFiles(event)) return
      event.preventDefault()
      if (event.dataTransfer) event.dataTransfer.dropEffect = onFiles === null ? 'none' : 'copy'
      setOver(onFiles !== null)
    }
    const leave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setOver(false)
    }
    const drop = (event: DragEvent): void => {
      setOver(false)
      if (!hasFiles(event)) return
      event.preventDefault()
      if (event.dataTransfer && onFiles) void filesOf(event.dataTransfer).then(onFiles)
    }
    document.addEventListener('dragover', over)
    document.addEventListener('dragleave', leave)
    document.addEventListener('drop', drop)
    return () => {
      document.removeEventListener('dragover', over)
      document.removeEventListener('dragleave', leave)
      document.removeEventListener('drop', drop)
    }
  }, [onFiles])
  if (!isOver) return null
  return createPortal(
    <div className="drop">
      <p>
        <AttachIcon aria-hidden />
        {text('dropFiles')}
      </p>
    </div>,
    document.body,
  )
}
