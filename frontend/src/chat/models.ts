/** Chooses the model, or one of several agents, for the next message. */

import type { ModelOption } from '@openai/chatkit'

import type { ChatState } from './session'

/** Return the ID of the chosen model, or else of the default one. */
export function modelOf(models: readonly ModelOption[], chosen: string | null): string | null {
  const enabled = models.filter((model) => !model.disabled)
  const model =
    enabled.find(({ id }) => id === chosen) ?? enabled.find((each) => each.default) ?? enabled[0]
  return model?.id ?? null
}

/** Return the ID of the model for the next message: the thread's last, until the user picks one. */
export function nextModel({ options, modelId, isModelChosen, thread }: ChatState): string | null {
  if (isModelChosen) return modelId
  const last = thread.items.findLast((item) => item.type === 'user_message')
  const known = last?.inference_options?.model
  const models = options?.composer?.models ?? []
  return models.find(({ id, disabled }) => id === known && !disabled)?.id ?? modelId
}
