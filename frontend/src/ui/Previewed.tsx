import type { Entity, Widgets } from '@openai/chatkit'
import { HoverCard } from 'radix-ui'
import { Suspense, use, useId, useState, type ReactElement } from 'react'

import type { Widget } from '../protocol/types'
import { PreviewWidgetContext, useText } from './context'

type Preview = 'loading' | Widgets.BasicRoot | null

interface PreviewedProps {
  entity: Entity
  onRequestPreview: (entity: Entity) => Promise<{ preview: Widgets.BasicRoot | null }>
  children: ReactElement
}

/** Shows a preview while the pointer or the focus rests on its child. */
export default function Previewed({ entity, onRequestPreview, children }: PreviewedProps) {
  const text = useText()
  const PreviewWidget = use(PreviewWidgetContext)
  const [isOpen, setOpen] = useState(false)
  const [preview, setPreview] = useState<Preview>(null)
  const id = useId()
  // In the same part of the page as the child, but outside the elements that clip it.
  const [place, setPlace] = useState<Element | null>(null)

  const ask = async (): Promise<void> => {
    setPreview('loading')
    try {
      setPreview((await onRequestPreview(entity)).preview)
    } catch (error) {
      console.warn(`The preview of ${entity.title} could not be loaded.`, error)
      setPreview(null)
    }
  }
  const isShown = isOpen && preview !== null && PreviewWidget !== null
  const loading = <p className="suggestions-note">{text('loading')}</p>
  return (
    <HoverCard.Root
      open={isOpen}
      openDelay={300}
      onOpenChange={(next) => {
        setOpen(next)
        if (next && (preview === null || preview === 'loading')) void ask()
      }}
    >
      <HoverCard.Trigger
        asChild
        ref={(element: HTMLElement | null) => setPlace(element?.closest('main, footer') ?? null)}
        {...(isShown && { 'aria-describedby': id })}
      >
        {children}
      </HoverCard.Trigger>
      {isShown && (
        <HoverCard.Portal container={place}>
          <HoverCard.Content
            id={id}
            role="tooltip"
            className="preview"
            side="top"
            sideOffset={6}
            collisionPadding={8}
          >
            {preview === 'loading' ? (
              loading
            ) : (
              <Suspense fallback={loading}>
                <PreviewWidget widget={preview as unknown as Widget} />
              </Suspense>
            )}
          </HoverCard.Content>
        </HoverCard.Portal>
      )}
    </HoverCard.Root>
  )
}
