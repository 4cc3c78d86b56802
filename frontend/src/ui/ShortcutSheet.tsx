import { useEffect, useRef } from 'react'

import { useText } from './context'
import { IconButton } from './IconButton'
import { CloseIcon } from './icons'
import { listed, sheet } from './shortcutKeys'

/** Lists the keyboard shortcuts. */
export default function ShortcutSheet() {
  const text = useText()
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog
      ref={dialog}
      className="shortcut-sheet"
      aria-labelledby="shortcuts"
      onClose={() => sheet.set({ isOpen: false })}
      // The target of a click beside the sheet is the dialog itself.
      onClick={(event) => event.target === event.currentTarget && dialog.current?.close()}
    >
      <div className="shortcut-head">
        <h2 id="shortcuts">{text('shortcuts')}</h2>
        <IconButton label={text('close')} onClick={() => dialog.current?.close()}>
          <CloseIcon />
        </IconButton>
      </div>
      <dl>
        {listed().map(([key, keys]) => (
          <div key={key}>
            <dt>{text(key)}</dt>
            <dd>
              {keys.map((each) => (
                <kbd key={each}>{each}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </dialog>
  )
}
