import { useState } from 'react'

import { IconButton } from '../IconButton'
import { CheckIcon, CopyIcon } from '../icons'

export function CopyButton({ text }: { text: string }) {
  const [isCopied, setCopied] = useState(false)
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text)
    setCopied(true)
    setTimeout(() => setCopied(false), 1500)
  }
  return (
    <IconButton small label={isCopied ? 'Copied' : 'Copy'} onClick={() => void copy()}>
      {isCopied ? <CheckIcon /> : <CopyIcon />}
    </IconButton>
  )
}
