import { useState } from 'react'

import { useText } from '../context'
import { IconButton } from '../IconButton'
import { CheckIcon, CopyIcon } from '../icons'

export function CopyButton({ text }: { text: string }) {
  const say = useText()
  const [isCopied, setCopied] = useState(false)
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text)
    setCopied(true)
    setTimeout(() => setCopied(false), 1500)
  }
  return (
    <IconButton small label={say(isCopied ? 'copied' : 'copy')} onClick={() => void copy()}>
      {isCopied ? <CheckIcon /> : <CopyIcon />}
    </IconButton>
  )
}
