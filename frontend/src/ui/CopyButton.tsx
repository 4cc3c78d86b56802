import { useEffect, useState } from 'react'

import { announce } from '../chat/announce'
import type { TextKey } from '../i18n/locales/en'
import { useText } from './context'
import { IconButton } from './IconButton'
import { CheckIcon, CopyIcon, FailedIcon } from './icons'
import { copyText } from './copyText'

/** Milliseconds for which the button shows the result. */
const SHOWN = 1500

const ICONS = { copy: CopyIcon, copied: CheckIcon, actionFailed: FailedIcon }

interface CopyButtonProps {
  textOf: () => string
  /** The button's name before it is pressed. */
  label?: TextKey
}

/** Copies a text when it is pressed. */
export function CopyButton({ textOf, label = 'copy' }: CopyButtonProps) {
  const say = useText()
  const [state, setState] = useState<keyof typeof ICONS>('copy')
  const copy = async (): Promise<void> => {
    const came = (await copyText(textOf())) ? 'copied' : 'actionFailed'
    setState(came)
    announce(say(came))
  }
  useEffect(() => {
    if (state === 'copy') return
    const timer = setTimeout(() => setState('copy'), SHOWN)
    return () => clearTimeout(timer)
  }, [state])
  const Icon = ICONS[state]
  return (
    <IconButton small label={say(state === 'copy' ? label : state)} onClick={() => void copy()}>
      <Icon />
    </IconButton>
  )
}
