/** Which model, or which of several agents, the next message asks for. */

import type { ModelOption } from '@openai/chatkit'

import type { ChatState } from './session'

/** Return the model that is chosen, or else the one that is chosen by default. */
export function modelOf(models: readonly ModelOption[], chosen: string | null): string | null {
  const enabled = models.filter((model) => !model.disabled)
  const model =
    enabled.find(({ id }) => id === chosen) ?? enabled.find((each) => each.default) ?? enabled[0]
  return model?.id ?? null
}

/** Return the model of the next message: in an open thread that of its last, until another is chosen. */
export function nextModel({ options, modelId, isModelChosen, thread }: ChatState): string | null {
  if (isModelChosen) return modelId
  const last = thread.items.findLast((item) => item.type === 'user_message')
  const known = last?.inference_options?.model
  const models = options?.composer?.models ?? []
  return models.find(({ id, disabled }) => id === known && !disabled)?.id ?? modelId
}
