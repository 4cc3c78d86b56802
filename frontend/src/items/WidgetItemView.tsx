import { lazy, Suspense } from 'react'

import type { WidgetItem } from '../protocol/types'
import { patiently } from '../chat/patiently'

const LazyWidget = lazy(() => patiently(() => import('../widgets/WidgetView')))

/** A widget. The code for widgets is loaded with the first one. */
export function WidgetItemView({ item }: { item: WidgetItem }) {
  return (
    <Suspense fallback={<div className="widget-loading" aria-hidden="true" />}>
      <LazyWidget widget={item.widget} item={item} />
    </Suspense>
  )
}
