import { useState } from 'react'

import { NamedIcon } from '../ui/icons/NamedIcon'
import { isObject } from '../chat/isObject'
import { isTrue, textOf } from './values'
import { useMayLoadImage } from './useMayLoadImage'

/** The line above a card or a list that says where it comes from, or what state it is in. */
export function Status({ of: status }: { of: unknown }) {
  if (!isObject(status)) return null
  const icon = textOf(status['icon'])
  const favicon = textOf(status['favicon'])
  return (
    <div className="widget-status">
      {favicon !== '' && <Favicon src={favicon} isFramed={isTrue(status['frame'])} />}
      {favicon === '' && icon !== '' && <NamedIcon name={icon} />}
      <span>{textOf(status['text'])}</span>
    </div>
  )
}

function Favicon({ src, isFramed }: { src: string; isFramed: boolean }) {
  const [failed, setFailed] = useState<string | null>(null)
  const isAllowed = useMayLoadImage(src)
  return (
    <span className={isFramed ? 'widget-favicon framed' : 'widget-favicon'}>
      {isAllowed && failed !== src ? (
        <img src={src} alt="" referrerPolicy="no-referrer" onError={() => setFailed(src)} />
      ) : (
        <NamedIcon name="globe" />
      )}
    </span>
  )
}
