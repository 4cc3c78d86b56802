import { lazy, Suspense, type ComponentType } from 'react'

type Icons = Promise<{ default: ComponentType<{ name: string }> }>

/** Icons that cannot be loaded are missed by nobody: what they stand beside says it in words. */
const orNone = (icons: Icons): Icons => icons.catch(() => ({ default: () => null }))

const ChatKitIcon = lazy(() => orNone(import('./ChatKitIcon')))
const LucideIcon = lazy(() => orNone(import('./LucideIcon')))

const LUCIDE = 'lucide:'

/** An icon by the name that a server gives it, as large as the text; an unknown name shows none. */
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
