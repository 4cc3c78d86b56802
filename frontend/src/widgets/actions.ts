/** What a component asks for when it is used. */

import { isFields, oneOf } from './values'

export type LoadingBehavior = 'auto' | 'none' | 'self' | 'container'

export interface Action {
  type: string
  payload?: unknown
  /** Who answers it: the page or the server. */
  handler: 'client' | 'server'
  loadingBehavior: LoadingBehavior
  /** Whether the server answers with a stream of events, or with the item as it is then. */
  streaming: boolean
}

/** Return the action that a property holds, if it is one. */
export function actionOf(value: unknown): Action | null {
  if (!isFields(value) || typeof value['type'] !== 'string') return null
  return {
    type: value['type'],
    ...('payload' in value && { payload: value['payload'] }),
    handler: oneOf(value['handler'], ['client', 'server'] as const, 'server'),
    loadingBehavior: oneOf(
      value['loadingBehavior'],
      ['none', 'self', 'container'] as const,
      'auto',
    ),
    streaming: value['streaming'] !== false,
  }
}
