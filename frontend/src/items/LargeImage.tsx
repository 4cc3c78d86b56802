import { useRef, useState } from 'react'

import { useText } from '../ui/context'
import { CloseIcon, DownloadIcon, FailedIcon } from '../ui/icons'
import { IconButton } from '../ui/IconButton'

interface LargeImageProps {
  url: string
  name: string
  className?: string
}

/** An image that opens large. */
export function LargeImage({ url, name, className = 'image' }: LargeImageProps) {
  const text = useText()
  const dialog = useRef<HTMLDialogElement>(null)
  const [failed, setFailed] = useState<string | null>(null)
  const [isOpen, setOpen] = useState(false)
  if (url === '' || failed === url) {
    return (
      <p className="note">
        <FailedIcon aria-hidden />
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
        <img
          className={className}
          src={url}
          alt={name}
          referrerPolicy="no-referrer"
          onError={() => setFailed(url)}
        />
      </button>
      <dialog
        ref={dialog}
        className="image-dialog"
        aria-label={name}
        onClose={() => setOpen(false)}
        // The target of a click beside the image is the dialog itself.
        onClick={(event) => event.target === event.currentTarget && dialog.current?.close()}
      >
        {isOpen && <img src={url} alt={name} referrerPolicy="no-referrer" />}
        <ImageButtons url={url} name={name} onClose={() => dialog.current?.close()} />
      </dialog>
    </>
  )
}

interface ImageButtonsProps {
  url: string
  name: string
  onClose: () => void
}

function ImageButtons({ url, name, onClose }: ImageButtonsProps) {
  const text = useText()
  return (
    <div className="image-buttons">
      <a
        className="icon-button"
        href={url}
        download={name}
        target="_blank"
        rel="noopener noreferrer"
        aria-label={text('download')}
        title={text('download')}
      >
        <DownloadIcon />
      </a>
      <IconButton label={text('close')} onClick={onClose}>
        <CloseIcon />
      </IconButton>
    </div>
  )
}
