import type { Entity, Widgets } from '@openai/chatkit'
import { HoverCard } from 'radix-ui'
import { lazy, Suspense, useId, useState, type ReactElement } from 'react'

import type { Widget } from '../protocol/types'
import { useText } from '../ui/context'

const WidgetView = lazy(() => import('../widgets/WidgetView'))

type Preview = 'coming' | Widgets.BasicRoot | null

interface PreviewedProps {
  entity: Entity
  onRequestPreview: (entity: Entity) => Promise<{ preview: Widgets.BasicRoot | null }>
  children: ReactElement
}

/** Something that shows a preview to who rests on it. */
export default function Previewed({ entity, onRequestPreview, children }: PreviewedProps) {
  const text = useText()
  const [isOpen, setOpen] = useState(false)
  const [preview, setPreview] = useState<Preview>(null)
  const id = useId()
  // Within the part of the page that it is about, and above what that hides.
  const [place, setPlace] = useState<Element | null>(null)

  const ask = async (): Promise<void> => {
    setPreview('coming')
    try {
      setPreview((await onRequestPreview(entity)).preview)
    } catch (error) {
      console.warn(`There is no preview of ${entity.title}.`, error)
      setPreview(null)
    }
  }
  const isShown = isOpen && preview !== null
  const coming = <p className="suggestions-note">{text('loading')}</p>
  return (
    <HoverCard.Root
      open={isOpen}
      openDelay={300}
      onOpenChange={(next) => {
        setOpen(next)
        if (next && (preview === null || preview === 'coming')) void ask()
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
            {preview === 'coming' ? (
              coming
            ) : (
              <Suspense fallback={coming}>
                <WidgetView widget={preview as unknown as Widget} />
              </Suspense>
            )}
          </HoverCard.Content>
        </HoverCard.Portal>
      )}
    </HoverCard.Root>
  )
}
