import { useRef, useState } from 'react'

import { useText } from '../context'
import { CloseIcon } from '../icons'
import { IconButton } from '../IconButton'

interface LargeImageProps {
  url: string
  name: string
  className: string
}

/** An image that opens large. */
export function LargeImage({ url, name, className }: LargeImageProps) {
  const text = useText()
  const dialog = useRef<HTMLDialogElement>(null)
  const [hasFailed, setFailed] = useState(false)
  const [isOpen, setOpen] = useState(false)
  if (hasFailed) {
    return (
      <p className="note">
        <span>{text('imageFailed')}</span>
      </p>
    )
  }
  const open = (): void => {
    setOpen(true)
    dialog.current?.showModal()
  }
  return (
    <>
      <button
        type="button"
        className="image-button"
        aria-label={text('openImage', { name })}
        onClick={open}
      >
        <img className={className} src={url} alt={name} onError={() => setFailed(true)} />
      </button>
      <dialog
        ref={dialog}
        className="image-dialog"
        aria-label={name}
        onClose={() => setOpen(false)}
        // A click beside the image is one on the dialog itself.
        onClick={(event) => event.target === event.currentTarget && dialog.current?.close()}
      >
        {isOpen && <img src={url} alt={name} />}
        <IconButton label={text('close')} onClick={() => dialog.current?.close()}>
          <CloseIcon />
        </IconButton>
      </dialog>
    </>
  )
}
