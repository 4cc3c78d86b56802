import { lazy, Suspense, type ComponentType } from 'react'

type Icons = Promise<{ default: ComponentType<{ name: string }> }>

/** An icon that fails to load is left out; the text beside it says the same. */
const orNone = (icons: Icons): Icons => icons.catch(() => ({ default: () => null }))

const ChatKitIcon = lazy(() => orNone(import('./ChatKitIcon')))
const LucideIcon = lazy(() => orNone(import('./LucideIcon')))

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
