import { Suspense } from 'react'

import { part } from '../part'

// The text beside an icon says the same.
const ChatKitIcon = part(() => import('./ChatKitIcon'))
const LucideIcon = part(() => import('./LucideIcon'))

const LUCIDE = 'lucide:'

/** An icon by its name, as large as the text; unknown names show nothing. */
export function NamedIcon({ name }: { name: string }) {
  return (
    <span className="named-icon" aria-hidden>
      <Suspense>
        {name.startsWith(LUCIDE) ? (
          <LucideIcon name={name.slice(LUCIDE.length)} />
        ) : (
          <ChatKitIcon name={name} />
        )}
      </Suspense>
    </span>
  )
}
