/** What the chat does: options, the open thread, and its parts under one roof. */

import type { CustomApiConfig } from '@openai/chatkit'

import { contentFrom } from './content'
import type { ChatHost, ChatMethods, Kept } from '../element/host'
import type { Options } from '../element/options'
import { ProtocolClient } from '../protocol/client'
import type { AnyEvent } from '../protocol/live'
import type {
  Attachment,
  StructuredInputSubmission,
  UserMessageInput,
  UserMessageItem,
  WidgetItem,
} from '../protocol/types'
import { Actions, type Action, type SentAction } from './actions'
import type { KeptFields } from './keptFields'
import { checkOptions } from './checkOptions'
import { ClientTools } from './clientTools'
import type { Outgoing, Written } from './drafts'
import { ChatList } from './list'
import { Live } from './live'
import { Messages, type SendParams } from './messages'
import { modelOf } from './models'
import { Responses, type End } from './responses'
import { mayEdit, Session } from './session'
import { Threads } from './threads'

export class Chat {
  readonly #session: Session
  readonly #responses: Responses
  readonly #threads: Threads
  readonly #messages: Messages
  readonly #actions: Actions
  readonly #tools: ClientTools
  readonly #live: Live
  /** What is known of the threads in the list of chats, beyond what was asked for. */
  readonly list: ChatList
  /** What was written into the controls of widgets, by item; it outlasts what draws them. */
  readonly kept = new Map<string, KeptFields>()
  /** Set by the composer. */
  focus: () => void = () => {}
  #chosenModel: string | null = null
  /** Where the server is that the threads are of. */
  #url: string | null = null

  constructor(host: ChatHost) {
    const session = (this.#session = new Session(host))
    const load = (threadId: string): Promise<unknown> => this.#threads.reload(threadId)
    const shown = (): void => this.#shown()
    this.#live = new Live(session, {
      hear: (heard) => this.#responses.hear(heard),
      shown,
      load: () => this.#threads.mayLoad(),
      refused: (error) => void this.#threads.refused(error),
    })
    this.#responses = new Responses(session, this.#live, {
      load,
      begun: () => this.#threads.stopPolling(),
      ended: (end) => this.#ended(end),
      shown,
      tell: (event) => this.#tell(event),
    })
    this.#threads = new Threads(session, this.#responses, this.#live, { shown })
    this.#messages = new Messages(session, this.#responses)
    this.#actions = new Actions(session, this.#responses, load)
    this.#tools = new ClientTools(session, this.#responses, this.#live)
    this.list = new ChatList(session)
    host.onOptions((options) => this.#configure(options))
  }

  get state() {
    return this.#session.state
  }

  get texts() {
    return this.#session.texts
  }

  get client() {
    return this.#session.client
  }

  #ended(end: End): void {
    const { threadId, thread } = this.#session.current
    // A message that the server did not take may have come in the midst of another's answer.
    const isQuiet = end.hasFailed || end.isStopped || thread.error !== null
    if (threadId !== null && !isQuiet) this.#threads.poll(threadId, 0)
    this.list.see()
    // What was asked for in an answer that a person has stopped is not wanted any more.
    if (!end.isStopped) void this.#tools.call()
    this.#messages.next(end)
  }

  /** It is known how the open thread stands: go on with what this page has left there. */
  #shown(): void {
    this.list.see()
    this.#messages.resume(this.#live.canFollow === true)
    if (this.#live.canFollow === true) void this.#tools.call()
  }

  /** Take what the server tells of threads as a whole. */
  #tell(event: AnyEvent): void {
    if (event.type !== 'thread.deleted') this.list.tell(event)
    else if (event.thread_id === this.#session.current.threadId) void this.#open(null)
  }

  #configure(given: unknown): void {
    const { options, fatal, problems } = checkOptions(given)
    const before = this.#session.current
    const locale = options.locale ?? navigator.language
    void this.texts.use(locale)
    const api = options.api as CustomApiConfig
    const url = fatal === null ? new URL(api.url, parent.document.baseURI).href : null
    this.#session.client =
      url === null
        ? null
        : new ProtocolClient({
            url,
            fetch: api.fetch,
            locale,
            onAnswer: (data) => this.#session.host.emit('chatkit.log', { name: 'request', data }),
          })
    for (const problem of fatal === null ? problems : [fatal, ...problems]) {
      if (problem === before.configError || before.problems.includes(problem)) continue
      this.#session.host.emit('chatkit.error', { error: new Error(problem) })
    }
    const modelId = modelOf(options.composer?.models ?? [], this.#chosenModel)
    this.state.set({ options, configError: fatal, problems, modelId })
    if (!options.composer?.tools?.some((tool) => tool.id === before.toolId)) this.chooseTool(null)
    if (options.history?.enabled === false) void this.hideHistory()
    if (url !== null && url !== this.#url) this.#begin(url, options)
  }

  /** Show the first thread of a server: as it was, or as the options say. */
  #begin(url: string, options: Options): void {
    const isFirst = this.#url === null
    this.#url = url
    this.#session.drafts.use(url, this.#session.host.key)
    this.list.use(url)
    this.#live.canFollow = null
    // Threads are those of the server before.
    if (!isFirst) void this.#open(null)
    this.state.set({ draft: this.#session.drafts.of(null) })
    const kept = isFirst ? this.#session.host.kept : null
    const threadId = kept === null ? options.initialThread : kept.threadId
    if (threadId) void this.#open(threadId)
  }

  /** What is the same again if the frame is made anew. */
  keep = (): Kept => ({ threadId: this.#session.current.threadId })

  /** Open a thread, or a new one, and return why it could not be loaded. */
  setThreadId = async (threadId: string | null): Promise<Error | null> => {
    await this.hideHistory()
    return this.#open(threadId)
  }

  async #open(threadId: string | null): Promise<Error | null> {
    if (threadId !== this.#session.current.threadId) {
      this.kept.clear()
      this.setEditing(null)
    }
    return this.#threads.open(threadId)
  }

  fetchUpdates = (): Promise<Error | null> => this.#threads.fetchUpdates()
  loadOlder = (): Promise<void> => this.#threads.loadOlder()
  renameThread = (threadId: string, title: string): Promise<void> =>
    this.#threads.rename(threadId, title)
  deleteThread = (threadId: string): Promise<void> => this.#threads.delete(threadId)
  exportThread = (): Promise<void> => this.#threads.export()

  // What a person says

  /** Send a message, and return why that could not be done once the answer is there. */
  sendUserMessage = async (params: SendParams): Promise<Error | null> => {
    if (params.newThread) await this.setThreadId(null)
    else await this.hideHistory()
    return this.#messages.send(params)
  }

  submit = (): Promise<void> => this.#messages.submit()
  /** Ask for another answer to a message; one that is there already is only shown. */
  retry = async (message: UserMessageItem): Promise<void> => {
    if (!(await this.#threads.isAnswered())) await this.#messages.retry(message)
  }
  /** Begin to edit a message; without an id, end that. */
  setEditing(itemId: string | null): void {
    this.state.set({ editing: itemId })
  }

  /** Begin to edit the last message, if that can be done, and tell whether. */
  editLast(): boolean {
    const { current } = this.#session
    const last = current.thread.items.findLast(({ type }) => type === 'user_message')
    if (last === undefined || !mayEdit(current)) return false
    this.setEditing(last.id)
    return true
  }

  edit = (message: UserMessageItem, content: UserMessageInput['content']): Promise<void> =>
    this.#messages.edit(message, content)
  answer = (itemId: string, input: StructuredInputSubmission): Promise<void> =>
    this.#messages.answer(itemId, input)
  stop = (): void => this.#responses.stop()
  sendWaiting = (outgoing: Outgoing): Promise<void> => this.#messages.sendWaiting(outgoing)
  dropWaiting = (outgoing: Outgoing): void => this.#messages.dropWaiting(outgoing)

  setComposerValue: ChatMethods['setComposerValue'] = async (params) => {
    const { draft, options } = this.#session.current
    const { tools = [], models = [], attachments: limits } = options?.composer ?? {}
    const content = contentFrom(params)
    draft.state.set({
      ...(content && { content }),
      ...(params.reply !== undefined && { reply: params.reply }),
    })
    if (params.attachments) draft.uploads.add(params.attachments as Attachment[])
    if (params.files) draft.uploads.upload(params.files, limits)
    const { selectedToolId, selectedModelId } = params
    if (selectedToolId === null || tools.some((tool) => tool.id === selectedToolId)) {
      this.chooseTool(selectedToolId ?? null)
    }
    const model = models.find(({ id, disabled }) => id === selectedModelId && !disabled)
    if (model !== undefined) this.chooseModel(model.id)
  }

  chooseTool(toolId: string | null): void {
    this.#session.chooseTool(toolId)
  }

  chooseModel(modelId: string): void {
    this.#chosenModel = modelId
    this.state.set({ modelId, isModelChosen: true })
  }

  setDraft(change: Partial<Written>): void {
    this.#session.current.draft.state.set(change)
  }

  // Actions

  /** Take an action of the app itself; show an error in the thread, and return it. */
  sendCustomAction = (action: SentAction, itemId?: string): Promise<Error | null> =>
    this.#actions.send(action, itemId)

  /** Take an action of a widget. Throws an `ActionError` if it fails. */
  act = (action: Action, item: WidgetItem): Promise<void> => this.#actions.act(action, item)

  /** Show the error of an action whose widget is gone. */
  show(message: string): void {
    this.#actions.show(message)
  }

  /** Tell the app of something wrong that people need not know of. */
  complain(message: string): void {
    this.#session.complain(message)
  }

  giveFeedback = async (itemIds: string[], kind: 'positive' | 'negative'): Promise<void> => {
    const { threadId } = this.#session.current
    if (this.#session.client === null || threadId === null) return
    await this.#session.client.request('items.feedback', {
      thread_id: threadId,
      item_ids: itemIds,
      kind,
    })
  }

  /** Tell the app that a link to it was followed: `chatkit-link://name?key=value`. */
  openDeeplink(url: string): void {
    const [, name = '', query = ''] = /^chatkit-link:(?:\/\/)?([^?#]*)\??([^#]*)/i.exec(url) ?? []
    this.#session.host.emit('chatkit.deeplink', {
      name: decoded(name.replace(/\/$/, '')),
      data: Object.fromEntries(new URLSearchParams(query)),
    })
  }

  showHistory = async (): Promise<void> => {
    if (this.#session.current.view === 'history') return
    this.state.set({ view: 'history' })
    this.#session.host.emit('chatkit.history.open')
  }

  hideHistory = async (): Promise<void> => {
    if (this.#session.current.view === 'thread') return
    this.state.set({ view: 'thread' })
    this.#session.host.emit('chatkit.history.close')
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
