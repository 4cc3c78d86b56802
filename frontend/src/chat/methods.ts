/** The element's methods, which throw an error if a call is invalid or comes at the wrong time. */

import type { ChatMethods } from '../element/host'
import { statusOf } from '../protocol/thread'
import type { Chat } from './chat'
import { BUSY } from './messages'

export function methodsOf(chat: Chat): ChatMethods {
  const check = (): void => {
    const { configError } = chat.state.get()
    if (configError !== null) throw new Error(configError)
  }
  const checkIdle = (): void => {
    if (chat.state.get().isResponding) throw new Error(BUSY)
  }
  const checkOpen = (): void => {
    const status = statusOf(chat.state.get().thread)
    if (status !== 'active') throw new Error(`The thread is ${status} and accepts no messages.`)
  }

  return {
    async focusComposer() {
      check()
      checkOpen()
      if (chat.state.get().view === 'history') {
        await chat.hideHistory()
        await new Promise((resolve) => setTimeout(resolve))
      }
      chat.focus()
    },
    async setThreadId(threadId) {
      check()
      if (threadId !== null && (typeof threadId !== 'string' || threadId === '')) {
        throw new TypeError('setThreadId needs a thread ID, or null for a new thread.')
      }
      raise(await chat.setThreadId(threadId))
    },
    async sendUserMessage(params) {
      check()
      const { text, content, attachments } = params ?? {}
      if (!text && !content?.length && !attachments?.length) {
        throw new TypeError('sendUserMessage needs a text, content or attachments.')
      }
      if (!params.newThread) {
        checkIdle()
        checkOpen()
      }
      raise(await chat.sendUserMessage(params))
    },
    async setComposerValue(params) {
      check()
      const { tools, models } = chat.state.get().options?.composer ?? {}
      const { selectedToolId: tool, selectedModelId: model } = params ?? {}
      if (tool != null && !tools?.some((each) => each.id === tool)) {
        throw new Error(`composer.tools has no tool ${tool}.`)
      }
      if (model != null && !models?.some((each) => each.id === model)) {
        throw new Error(`composer.models has no model ${model}.`)
      }
      await chat.setComposerValue(params ?? {})
    },
    async fetchUpdates() {
      check()
      raise(await chat.fetchUpdates())
    },
    async sendCustomAction(action, itemId) {
      check()
      if (typeof action?.type !== 'string') {
        throw new TypeError('sendCustomAction needs an action with a type.')
      }
      if (chat.state.get().threadId === null) {
        throw new Error(
          'sendCustomAction needs an open thread. Send a message or call setThreadId first.',
        )
      }
      checkIdle()
      raise(await chat.sendCustomAction(action, itemId))
    },
    async showHistory() {
      check()
      await chat.showHistory()
    },
    async hideHistory() {
      check()
      await chat.hideHistory()
    },
  }
}

function raise(error: Error | null): void {
  if (error !== null) throw error
}
