/** The chat: its options, the open thread, and the parts that work on it. */

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
import type { End } from './pendingResponse'
import { checkOptions } from './checkOptions'
import { ClientTools } from './clientTools'
import type { Outgoing, Written } from './drafts'
import { ChatList } from './list'
import { Live } from './live'
import { Messages, type SendParams } from './messages'
import { modelOf } from './models'
import { Ratings, type Rating } from './ratings'
import { Responses } from './responses'
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
  /** Changes to the listed chats since they were loaded, and which of them the user has seen. */
  readonly list: ChatList
  readonly ratings = new Ratings()
  /** Focuses the composer, which sets this function. */
  focus: () => void = () => {}
  #chosenModel: string | null = null
  /** The URL of the server that the threads belong to. */
  #url: string | null = null

  constructor(host: ChatHost) {
    const session = (this.#session = new Session(host))
    const load = (threadId: string): Promise<Error | null> => this.#threads.reload(threadId)
    const shown = (): void => this.#shown()
    this.#live = new Live(session, {
      receive: (received) => this.#responses.receive(received),
      shown,
      load: () => this.#threads.mayLoad(),
      refused: (error) => void this.#threads.refused(error),
    })
    this.#responses = new Responses(session, this.#live, {
      load,
      started: () => this.#threads.stopPolling(),
      ended: (end) => this.#ended(end),
      shown,
      tell: (event) => this.#tell(event),
    })
    this.#threads = new Threads(session, this.#responses, this.#live, {
      shown,
      missing: (id) => this.list.apply({ type: 'threads.deleted', thread_id: id }),
    })
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
    // If the server did not accept a message, it may be busy with another page's response.
    const isQuiet = end.hasFailed || end.isStopped || thread.error !== null
    if (threadId !== null && !isQuiet) this.#threads.poll(threadId, 0)
    this.list.markSeen()
    this.#settle()
    // After the user stopped a response, its tool calls are no longer wanted.
    if (!end.isStopped) void this.#tools.call()
    this.#messages.next(end)
  }

  /** Resume this page's pending work in the open thread, now that its state is known. */
  #shown(): void {
    this.list.markSeen()
    this.#messages.resume(this.#live.canFollow === true)
    this.#settle()
    if (this.#live.canFollow === true) void this.#tools.call()
  }

  /** Forget what the user entered into items that are gone or done. */
  #settle(): void {
    const { draft, thread, older } = this.#session.current
    const isWhole = older === null && thread.thread !== null
    if (!this.#responses.isSending) draft.settle(thread.items, isWhole)
  }

  /** Handle an event about a thread as a whole. */
  #tell(event: AnyEvent): void {
    if (event.type !== 'thread.deleted') {
      this.list.apply(event)
      return
    }
    this.list.apply({ ...event, type: 'threads.deleted' })
    if (event.thread_id !== this.#session.current.threadId) return
    this.#session.drafts.release(event.thread_id)
    void this.#threads.open(null)
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

  /** Open the first thread on a server: the one shown before, or that of the options. */
  #begin(url: string, options: Options): void {
    const isFirst = this.#url === null
    this.#url = url
    this.#session.drafts.use(url, this.#session.host.key)
    this.list.use(url)
    this.ratings.use(url)
    this.#live.canFollow = null
    // The open thread, or a new one whose message is being sent, belongs to the previous server.
    if (!isFirst) void this.#threads.reopen(null)
    this.state.set({ draft: this.#session.drafts.of(null) })
    const kept = isFirst ? this.#session.host.kept : null
    const threadId = kept === null ? options.initialThread : kept.threadId
    if (threadId) void this.#threads.open(threadId)
    if (isFirst) this.#restoreChoices(url, options)
  }

  /** Choose the tool and the model again that were chosen before the page was reloaded. */
  #restoreChoices(url: string, { composer }: Options): void {
    const { toolId, modelId, threadId } = this.#session.choices.use(url, this.#session.host.key)
    if (composer?.tools?.some(({ id }) => id === toolId)) this.chooseTool(toolId)
    this.#chosenModel = modelId
    const isModelChosen = modelId !== null && threadId === this.#session.current.threadId
    this.state.set({ modelId: modelOf(composer?.models ?? [], modelId), isModelChosen })
  }

  /** Return the state to restore if the frame is created again. */
  keep = (): Kept => ({ threadId: this.#session.current.threadId })

  /** Open a thread, or a new one, and return the error if it could not be loaded. */
  setThreadId = async (threadId: string | null): Promise<Error | null> => {
    await this.hideHistory()
    return this.#threads.open(threadId)
  }

  fetchUpdates = (): Promise<Error | null> => this.#threads.fetchUpdates()
  loadOlder = (): Promise<void> => this.#threads.loadOlder()
  renameThread = async (threadId: string, title: string): Promise<void> => {
    const thread = await this.#threads.rename(threadId, title)
    if (thread !== undefined) this.list.apply({ type: 'threads.changed', thread })
  }
  deleteThread = async (threadId: string): Promise<void> => {
    await this.#threads.delete(threadId)
    this.list.apply({ type: 'threads.deleted', thread_id: threadId })
  }
  exportThread = (): Promise<void> => this.#threads.export()

  // Messages

  /** Send a message, wait for the response to end, and return the error if sending failed. */
  sendUserMessage = async (params: SendParams): Promise<Error | null> => {
    if (params.newThread) await this.setThreadId(null)
    else await this.hideHistory()
    return this.#messages.send(params)
  }

  submit = (): Promise<void> => this.#messages.submit()
  /** Ask for another response to a message. */
  retry = (message: UserMessageItem): Promise<void> => this.#messages.retry(message)
  /** Ask for another response to a message, unless the missing one is on the server after all. */
  tryAgain = async (message: UserMessageItem): Promise<void> => {
    if (await this.#threads.mayRepeat()) await this.retry(message)
  }
  startEditing({ id, content }: UserMessageItem): void {
    const { draft } = this.#session.current
    if (draft.state.get().entered[id] === undefined) draft.enter(id, { edit: content })
  }

  stopEditing({ id }: UserMessageItem): void {
    this.#session.current.draft.enter(id, null)
  }

  /** Start editing the user's last message if possible; return whether it was. */
  editLast(): boolean {
    const { current } = this.#session
    const last = current.thread.items.findLast(({ type }) => type === 'user_message')
    if (last?.type !== 'user_message' || !mayEdit(current)) return false
    this.startEditing(last)
    return true
  }

  edit = (message: UserMessageItem, content: UserMessageInput['content']): Promise<void> =>
    this.#messages.edit(message, content)
  answer = (itemId: string, input: StructuredInputSubmission): Promise<void> =>
    this.#messages.answer(itemId, input)
  stop = (): void => this.#responses.stop()
  sendWaiting = (outgoing: Outgoing): Promise<void> => this.#messages.sendWaiting(outgoing)
  editWaiting = (outgoing: Outgoing): void => this.#messages.restore(outgoing)
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
    this.#session.choices.keep({ modelId, threadId: this.#session.current.threadId })
  }

  setDraft(change: Partial<Written>): void {
    this.#session.current.draft.state.set(change)
  }

  // Actions

  /** Send an action for the app; if that fails, show the error in the thread and return it. */
  sendCustomAction = (action: SentAction, itemId?: string): Promise<Error | null> =>
    this.#actions.send(action, itemId)

  /** Perform a widget's action. Throws an `ActionError` if it fails. */
  act = (action: Action, item: WidgetItem): Promise<void> => this.#actions.act(action, item)

  /** Show an action's error in the thread, because its widget is gone. */
  show(message: string): void {
    this.#actions.show(message)
  }

  /** Report a problem to the app that users need not see. */
  reportProblem(message: string): void {
    this.#session.reportProblem(message)
  }

  giveFeedback = async (itemIds: string[], kind: Rating): Promise<void> => {
    const { threadId } = this.#session.current
    if (this.#session.client === null || threadId === null) return
    await this.#session.client.request('items.feedback', {
      thread_id: threadId,
      item_ids: itemIds,
      kind,
    })
  }

  /** Tell the app that the user followed a link to it: `chatkit-link://name?key=value`. */
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
