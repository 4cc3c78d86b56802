/** What the chat does: talks to the server, and keeps what is shown. */

import type { CustomApiConfig, ModelOption } from '@openai/chatkit'

import type { ChatHost, ChatMethods, Kept } from '../element/host'
import type { Options } from '../element/options'
import { ProtocolClient, ProtocolError } from '../protocol/client'
import {
  emptyThread,
  endResponse,
  mergeOlder,
  reduce,
  replaceItems,
  startResponse,
  type ThreadState,
} from '../protocol/thread'
import type {
  Attachment,
  ClientToolCallItem,
  NoticeEvent,
  StructuredInputSubmission,
  ThreadItem,
  ThreadMetadata,
  ThreadStreamEvent,
  UserMessageInput,
  UserMessageItem,
  WidgetItem,
} from '../protocol/types'
import { checkOptions } from './checkOptions'
import { contentFrom, isBlank, noContent, sendable, textOf } from '../composer/content'
import { Drafts, type Draft, type Sending, type Written } from './drafts'
import { Uploads } from './uploads'
import { save, threadAsMarkdown } from './exportThread'
import { Store } from './store'
import { Texts } from '../i18n/texts'
import type { Action } from '../widgets/actions'
import type { KeptFields } from '../widgets/forms'

const PAGE = 50

/** The error of a message that nobody seems to answer. */
const UNANSWERED = 'unanswered'

/** After how many milliseconds to look, each time, for an answer that is written elsewhere. */
const FOLLOWS = [1_000, 2_000, 4_000, 8_000]

export interface ChatState {
  options: Options | null
  /** What is wrong with the options, for whoever writes the page. */
  configError: string | null
  /** Which of the options are left out, for the same. */
  problems: readonly string[]
  threadId: string | null
  thread: ThreadState
  isLoading: boolean
  loadError: string | null
  /** Where the page of older items begins; `null` when there are no more. */
  older: string | null
  isLoadingOlder: boolean
  isResponding: boolean
  /** A message on its way, until the server has it. */
  sending: Sending | null
  view: 'thread' | 'history'
  draft: Draft
  toolId: string | null
  modelId: string | null
}

type SendParams = Parameters<ChatMethods['sendUserMessage']>[0]

export class Chat {
  readonly texts = new Texts()
  #drafts = new Drafts(() => new Uploads(() => this.#api(), this.texts))
  readonly state = new Store<ChatState>({
    options: null,
    configError: null,
    problems: [],
    threadId: null,
    thread: emptyThread,
    isLoading: false,
    loadError: null,
    older: null,
    isLoadingOlder: false,
    isResponding: false,
    sending: null,
    view: 'thread',
    draft: this.#drafts.of(null),
    toolId: null,
    modelId: null,
  })
  client: ProtocolClient | null = null
  /** What was written into the controls of widgets, by item; it outlasts what draws them. */
  readonly kept = new Map<string, KeptFields>()
  /** Set by the composer. */
  focus: () => void = () => {}
  #host: ChatHost
  #chosenModel: string | null = null
  #streaming: AbortController | null = null
  #loading: AbortController | null = null
  #following: ReturnType<typeof setTimeout> | undefined
  /** How many answers were asked for. */
  #responses = 0
  /** Where the server is that the threads are of. */
  #url: string | null = null

  constructor(host: ChatHost) {
    this.#host = host
    window.addEventListener('online', () => this.#lookAgain())
    document.addEventListener('visibilitychange', () => !document.hidden && this.#lookAgain())
    host.onOptions((options) => this.#configure(options))
  }

  get #current(): ChatState {
    return this.state.get()
  }

  #configure(given: unknown): void {
    const { options, fatal, problems } = checkOptions(given)
    const before = this.#current
    const locale = options.locale ?? navigator.language
    void this.texts.use(locale)
    const api = options.api as CustomApiConfig
    const url = fatal === null ? new URL(api.url, parent.document.baseURI).href : null
    this.client =
      url === null
        ? null
        : new ProtocolClient({
            url,
            fetch: api.fetch,
            locale,
            onAnswer: (data) => this.#host.emit('chatkit.log', { name: 'request', data }),
          })
    for (const problem of fatal === null ? problems : [fatal, ...problems]) {
      if (problem === before.configError || before.problems.includes(problem)) continue
      this.#host.emit('chatkit.error', { error: new Error(problem) })
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
    this.#drafts.use(url)
    // Threads are those of the server before.
    if (!isFirst) void this.#open(null)
    this.state.set({ draft: this.#drafts.of(null) })
    const kept = isFirst ? this.#host.kept : null
    const threadId = kept === null ? options.initialThread : kept.threadId
    if (threadId) void this.#open(threadId)
  }

  /** What is the same again if the frame is made anew. */
  keep = (): Kept => ({ threadId: this.#current.threadId })

  #api(): CustomApiConfig | null {
    return this.#current.configError === null
      ? ((this.#current.options?.api as CustomApiConfig | undefined) ?? null)
      : null
  }

  // Threads

  /** Open a thread, or a new one, and return why it could not be loaded. */
  setThreadId = async (threadId: string | null): Promise<Error | null> => {
    await this.hideHistory()
    return this.#open(threadId)
  }

  async #open(threadId: string | null): Promise<Error | null> {
    if (threadId === this.#current.threadId && !this.#current.loadError) return null
    this.#streaming?.abort()
    this.#loading?.abort()
    this.kept.clear()
    this.state.set({
      threadId,
      thread: emptyThread,
      older: null,
      loadError: null,
      sending: null,
      isResponding: false,
      draft: this.#drafts.of(threadId),
    })
    this.#host.emit('chatkit.thread.change', { threadId })
    return threadId === null ? null : this.#load(threadId)
  }

  fetchUpdates = async (): Promise<Error | null> => {
    const { threadId, loadError } = this.#current
    // What an answer brings is newer than what a page of items could.
    if (threadId === null || this.#current.isResponding) return null
    return this.#load(threadId, loadError === null)
  }

  async #load(threadId: string, isQuiet = false): Promise<Error | null> {
    const client = this.client
    if (client === null) return null
    const loading = (this.#loading = new AbortController())
    const init = { signal: loading.signal }
    const responses = this.#responses
    if (!isQuiet) this.state.set({ isLoading: true, loadError: null })
    if (!isQuiet) this.#host.emit('chatkit.thread.load.start', { threadId })
    try {
      // The thread comes with its oldest items; what people want to see is the newest.
      const [thread, page] = await Promise.all([
        client.request('threads.get_by_id', { thread_id: threadId }, init),
        client.request(
          'items.list',
          { thread_id: threadId, limit: PAGE, order: 'desc' },
          init,
        ),
      ])
      const { items: _, ...metadata } = thread
      const items = [...(page.data ?? [])].reverse()
      // What an answer has brought in the meantime is newer than what was asked for before it.
      const isOlder = this.#responses !== responses
      const shown = this.#current.thread
      this.state.set({
        thread: isOlder
          ? mergeOlder({ ...shown, thread: shown.thread ?? (metadata as ThreadMetadata) }, items)
          : replaceItems(shown, metadata as ThreadMetadata, items),
        older: page.has_more ? (page.after ?? null) : null,
        isLoading: false,
        loadError: null,
      })
      if (!isQuiet) this.#follow(threadId, 0)
      return null
    } catch (error) {
      if (isAborted(error)) return null
      this.state.set({ isLoading: false, ...(!isQuiet && { loadError: this.#explain(error) }) })
      this.#host.emit('chatkit.error', { error: error as Error })
      return error as Error
    } finally {
      if (!isQuiet) this.#host.emit('chatkit.thread.load.end', { threadId })
    }
  }

  /** Another tab, or another person, may have gone on with the thread. */
  #lookAgain(): void {
    const { threadId, isLoading } = this.#current
    if (threadId === null || isLoading) return
    void this.fetchUpdates().then(() => this.#follow(threadId, 0))
  }

  /** Wait for an answer that is not asked for from here: this page was loaded while it was written. */
  #follow(threadId: string, round: number): void {
    clearTimeout(this.#following)
    const { thread, isResponding } = this.#current
    const isAwaited = thread.items.at(-1)?.type === 'user_message'
    if (this.#current.threadId !== threadId || isResponding) return
    if (!isAwaited && thread.error?.code === UNANSWERED) {
      this.state.set({ thread: { ...thread, error: null } })
    }
    if (!isAwaited || round === 0) this.#waitFor(isAwaited)
    if (round === FOLLOWS.length && isAwaited) {
      this.#waitFor(false)
      const error = { code: UNANSWERED, message: null, allowRetry: true }
      this.state.set({ thread: { ...this.#current.thread, error } })
    }
    const delay = FOLLOWS[round]
    if (!isAwaited || delay === undefined) return
    this.#following = setTimeout(() => {
      const isStill = this.#current.threadId === threadId && !this.#current.isResponding
      if (isStill) void this.#load(threadId, true).then(() => this.#follow(threadId, round + 1))
    }, delay)
  }

  #waitFor(isAwaited: boolean): void {
    const progress = isAwaited ? { text: this.texts.say('thinking') } : null
    this.state.set({ thread: { ...this.#current.thread, progress } })
  }

  loadOlder = async (): Promise<void> => {
    const { threadId, older, isLoadingOlder } = this.#current
    if (this.client === null || threadId === null || older === null || isLoadingOlder) return
    this.state.set({ isLoadingOlder: true })
    try {
      const page = await this.client.request('items.list', {
        thread_id: threadId,
        limit: PAGE,
        order: 'desc',
        after: older,
      })
      if (this.#current.threadId !== threadId) return
      this.state.set({
        thread: mergeOlder(this.#current.thread, [...(page.data ?? [])].reverse()),
        older: page.has_more ? (page.after ?? null) : null,
      })
    } catch (error) {
      this.#host.emit('chatkit.error', { error: error as Error })
    } finally {
      this.state.set({ isLoadingOlder: false })
    }
  }

  // What a person says

  /** Send a message, and return why that could not be done once the answer is there. */
  sendUserMessage = async (params: SendParams): Promise<Error | null> => {
    if (params.newThread) await this.setThreadId(null)
    else await this.hideHistory()
    const { toolId, modelId, threadId, isResponding } = this.#current
    const written = contentFrom(params) ?? noContent
    const content = sendable(written)
    const attachments = (params.attachments ?? []) as Attachment[]
    if (isResponding || (content.length === 0 && attachments.length === 0)) return null
    const tool = params.toolChoice ?? (toolId === null ? undefined : { id: toolId })
    const model = params.model ?? modelId ?? undefined
    const input = {
      content,
      attachments: attachments.map((attachment) => attachment.id),
      quoted_text: params.reply,
      inference_options: { ...(tool && { tool_choice: tool }), ...(model && { model }) },
    }
    this.state.set({ sending: { content: written, attachments, reply: params.reply ?? null } })
    if (params.toolChoice === undefined && toolId !== null) {
      const option = this.#current.options?.composer?.tools?.find((each) => each.id === toolId)
      if (!option?.persistent) this.chooseTool(null)
    }
    if (threadId === null) {
      return this.#respond((client, init) => client.stream('threads.create', { input }, init))
    }
    return this.#respond((client, init) =>
      client.stream('threads.add_user_message', { thread_id: threadId, input }, init),
    )
  }

  /** Send what the composer holds, once its files are uploaded. */
  submit = async (): Promise<void> => {
    const { draft, isResponding } = this.#current
    const { content, reply } = draft.state.get()
    const attachments = draft.uploads.finished()
    if (isResponding || draft.uploads.isUploading() || draft.uploads.hasFailed()) return
    if (isBlank(content) && attachments.length === 0) return
    draft.clear()
    await this.sendUserMessage({
      content: [...content],
      attachments,
      ...(reply !== null && { reply }),
    } as SendParams)
  }

  setComposerValue: ChatMethods['setComposerValue'] = async (params) => {
    const { draft, options } = this.#current
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
    if (toolId === this.#current.toolId) return
    this.state.set({ toolId })
    this.#host.emit('chatkit.tool.change', { toolId })
  }

  chooseModel(modelId: string): void {
    this.#chosenModel = modelId
    this.state.set({ modelId })
  }

  setDraft(change: Partial<Written>): void {
    this.#current.draft.state.set(change)
  }

  stop = (): void => this.#streaming?.abort()

  /** Ask for another answer to a message, in place of all that came after it. */
  retry = async (message: UserMessageItem): Promise<void> => {
    const { threadId, thread } = this.#current
    if (threadId === null) return
    const index = thread.items.findIndex((item) => item.id === message.id)
    this.state.set({ thread: { ...thread, items: thread.items.slice(0, index + 1) } })
    await this.#respond((client, init) =>
      client.stream(
        'threads.retry_after_item',
        { thread_id: threadId, item_id: message.id },
        init,
      ),
    )
  }

  /** Put other content in the place of a message's, and have it answered anew. */
  edit = async (message: UserMessageItem, content: UserMessageInput['content']): Promise<void> => {
    const { threadId, thread } = this.#current
    if (threadId === null) return
    const index = thread.items.findIndex((item) => item.id === message.id)
    const items = [...thread.items.slice(0, index), { ...message, content }]
    this.state.set({ thread: { ...thread, items } })
    const input = {
      content,
      attachments: (message.attachments ?? []).map((attachment) => attachment.id),
      quoted_text: message.quoted_text,
      inference_options: message.inference_options,
    }
    await this.#respond((client, init) =>
      client.stream(
        'threads.retry_after_item',
        { thread_id: threadId, item_id: message.id },
        { ...init, metadata: { input } },
      ),
    )
  }

  // Actions

  /** Take an action of the app itself; what goes wrong is shown in the thread, and returned. */
  sendCustomAction = async (action: SentAction, itemId?: string): Promise<Error | null> => {
    try {
      await this.#stream(action, itemId, false)
      return null
    } catch (error) {
      this.show(messageOf(error))
      return error as Error
    }
  }

  /** Show what went wrong with an action that has no place of its own any more. */
  show(message: string): void {
    const error = { code: 'action', message, allowRetry: false }
    this.state.set({ thread: { ...this.#current.thread, error } })
  }

  /**
   * Take an action of a widget.
   *
   * What goes wrong is thrown as an `ActionError`, whose message is for whoever acted.
   */
  act = async (action: Action, item: WidgetItem): Promise<void> => {
    if (action.handler === 'client') await this.#tell(action, item)
    else if (action.streaming) await this.#stream(action, item.id, true)
    else await this.#ask(action, item.id)
  }

  /** Tell the app of an action that it takes itself. */
  async #tell(action: Action, item: WidgetItem): Promise<void> {
    try {
      const onAction = this.#current.options?.widgets?.onAction
      if (onAction === undefined) {
        throw new Error(`This page has no widgets.onAction, and ${action.type} asks for it.`)
      }
      const widget = item.widget as unknown as Parameters<typeof onAction>[1]['widget']
      await onAction(asSent(action), { id: item.id, widget })
    } catch (error) {
      throw this.#failed(error)
    }
  }

  /** Send an action that is answered with its item as it is then, once no answer is being written. */
  async #ask(action: Action, itemId: string): Promise<void> {
    const { threadId } = this.#current
    await this.#idle()
    if (this.client === null || threadId === null || this.#current.threadId !== threadId) return
    const params = { thread_id: threadId, item_id: itemId, action: asSent(action) }
    try {
      const { updated_item: item } = await this.client.request('threads.sync_custom_action', params)
      if (item && this.#current.threadId === threadId) {
        this.#take({ type: 'thread.item.replaced', item })
      }
    } catch (error) {
      throw this.#failed(error)
    }
  }

  /** Send an action that is answered with a stream, once no other answer is being written. */
  async #stream(
    action: AnyAction,
    itemId: string | undefined,
    isOfWidget: boolean,
  ): Promise<void> {
    const { threadId } = this.#current
    if (threadId === null) return
    await this.#idle()
    // Whoever has left the thread meanwhile does not mean it any more.
    if (this.#current.threadId !== threadId) return
    const params = {
      thread_id: threadId,
      ...(itemId !== undefined && { item_id: itemId }),
      action: asSent(action),
    }
    let failure: ActionError | null = null
    await this.#respond(
      (client, init) =>
        this.#withoutFailures(
          client.stream('threads.custom_action', params, init),
          isOfWidget,
          (message) => {
            failure = new ActionError(message)
          },
        ),
      async (error) => {
        failure = this.#failed(error)
        await this.#load(threadId, true)
      },
    )
    if (failure !== null && this.#current.threadId === threadId) throw failure
  }

  /** Yield what an action has led to, but for why it was refused or has failed. */
  async *#withoutFailures(
    events: AsyncGenerator<ThreadStreamEvent, void, void>,
    isOfWidget: boolean,
    onFailure: (message: string) => void,
  ): AsyncGenerator<ThreadStreamEvent, void, void> {
    const notices: NoticeEvent[] = []
    let hasFailed = false
    let hasDone = false
    for await (const event of events) {
      if (event.type === 'error') {
        this.complain(event.message ?? event.code ?? 'error')
        onFailure(event.message ?? this.texts.say('actionFailed'))
        hasFailed = true
      } else if (event.type === 'notice' && event.level !== 'info') {
        notices.push(event)
      } else {
        hasDone ||= event.type.startsWith('thread.item.')
        yield event
      }
    }
    // A notice that comes alone says why nothing has happened, to be read where that was.
    if (isOfWidget && !hasDone && !hasFailed && notices.length > 0) {
      onFailure(notices.map((notice) => notice.message).join(' '))
    } else {
      yield* notices
    }
  }

  /** Wait until no answer is being written. */
  async #idle(): Promise<void> {
    while (this.#current.isResponding) {
      await new Promise<void>((resolve) => {
        const stop = this.state.subscribe(() => {
          if (this.#current.isResponding) return
          stop()
          resolve()
        })
      })
    }
  }

  /** Tell the app of something wrong that people need not know of. */
  complain(message: string): void {
    this.#host.emit('chatkit.error', { error: new Error(message) })
  }

  /** Tell the app of what went wrong with an action, and return it in words for a person. */
  #failed(error: unknown): ActionError {
    this.#host.emit('chatkit.error', { error: error as Error })
    const isOffline =
      error instanceof ProtocolError && (error.kind === 'lost' || error.kind === 'unreachable')
    const reason = error instanceof ProtocolError ? error.reason : undefined
    return new ActionError(
      isOffline ? this.#explain(error) : (reason ?? this.texts.say('actionFailed')),
    )
  }

  answer = async (itemId: string, input: StructuredInputSubmission): Promise<void> => {
    const { threadId } = this.#current
    if (threadId === null) return
    await this.#respond((client, init) =>
      client.stream(
        'threads.add_structured_input',
        { thread_id: threadId, item_id: itemId, input },
        init,
      ),
    )
  }

  giveFeedback = async (itemIds: string[], kind: 'positive' | 'negative'): Promise<void> => {
    const { threadId } = this.#current
    if (this.client === null || threadId === null) return
    await this.client.request('items.feedback', { thread_id: threadId, item_ids: itemIds, kind })
  }

  renameThread = async (threadId: string, title: string): Promise<void> => {
    const renamed = await this.client?.request('threads.update', { thread_id: threadId, title })
    const { thread } = this.#current
    if (renamed !== undefined && this.#current.threadId === threadId) {
      this.state.set({ thread: reduce(thread, { type: 'thread.updated', thread: renamed }) })
    }
  }

  deleteThread = async (threadId: string): Promise<void> => {
    await this.client?.request('threads.delete', { thread_id: threadId })
    this.#drafts.delete(threadId)
    if (this.#current.threadId === threadId) await this.#open(null)
  }

  /** Save the whole thread as a file of Markdown. */
  exportThread = async (): Promise<void> => {
    const { threadId } = this.#current
    while (this.#current.older !== null && this.#current.threadId === threadId) {
      const { older } = this.#current
      await this.loadOlder()
      // An older page that cannot be loaded is missed, rather than left out in silence.
      if (this.#current.older === older) {
        const notice = { level: 'warning', message: this.texts.say('threadFailed') } as const
        this.#take({ type: 'notice', ...notice })
        return
      }
    }
    if (threadId === null || this.#current.threadId !== threadId) return
    const { thread, items } = this.#current.thread
    const title = thread?.title ?? this.texts.say('chat')
    save(threadAsMarkdown(title, items, this.texts.say), `${fileName(title)}.md`)
  }

  /** Tell the app that a link to it was followed: `chatkit-link://name?key=value`. */
  openDeeplink(url: string): void {
    const [, name = '', query = ''] = /^chatkit-link:(?:\/\/)?([^?#]*)\??([^#]*)/i.exec(url) ?? []
    this.#host.emit('chatkit.deeplink', {
      name: decoded(name.replace(/\/$/, '')),
      data: Object.fromEntries(new URLSearchParams(query)),
    })
  }

  showHistory = async (): Promise<void> => {
    if (this.#current.view === 'history') return
    this.state.set({ view: 'history' })
    this.#host.emit('chatkit.history.open')
  }

  hideHistory = async (): Promise<void> => {
    if (this.#current.view === 'thread') return
    this.state.set({ view: 'thread' })
    this.#host.emit('chatkit.history.close')
  }

  // Answers

  async #respond(
    open: (
      client: ProtocolClient,
      init: { signal: AbortSignal; metadata?: Record<string, unknown> },
    ) => AsyncGenerator<ThreadStreamEvent, void, void>,
    recover: (error: unknown) => Promise<void> = (error) => this.#recover(error),
  ): Promise<Error | null> {
    const client = this.client
    if (client === null || this.#current.isResponding) return null
    let failure: Error | null = null
    this.#responses += 1
    clearTimeout(this.#following)
    const streaming = (this.#streaming = new AbortController())
    this.state.set({
      isResponding: true,
      thread: startResponse(this.#current.thread),
    })
    this.#host.emit('chatkit.response.start')
    try {
      for await (const event of open(client, { signal: streaming.signal })) {
        if (this.#streaming !== streaming) return null
        this.#take(event)
      }
    } catch (error) {
      if (this.#streaming !== streaming) return null
      if (!isAborted(error)) {
        failure = error as Error
        await recover(error)
      }
    } finally {
      if (this.#streaming === streaming) await this.#settle(streaming.signal.aborted)
      if (this.#streaming === streaming) {
        this.#streaming = null
        this.state.set({
          isResponding: false,
          thread: endResponse(this.#current.thread),
        })
        this.#host.emit('chatkit.response.end')
      }
    }
    const { threadId, thread } = this.#current
    // A message that the server did not take may have come in the midst of another's answer.
    const isQuiet = failure !== null || streaming.signal.aborted || thread.error !== null
    if (threadId !== null && !isQuiet) this.#follow(threadId, 0)
    // What was asked for in an answer that a person has stopped is not wanted any more.
    if (!streaming.signal.aborted) await this.#callTool()
    return failure
  }

  #take(event: ThreadStreamEvent): void {
    let { thread } = this.#current
    try {
      thread = reduce(thread, event)
    } catch (error) {
      // An event that lacks what belongs to it is worth no more than an unknown one.
      console.warn(`An event of type ${event.type} cannot be read.`, error)
      return
    }
    const change: Partial<ChatState> = { thread }
    if (event.type === 'thread.created') {
      change.threadId = event.thread.id
      if (this.#current.threadId === null) this.#drafts.move(event.thread.id)
    } else if (event.type === 'client_effect') {
      this.#host.emit('chatkit.effect', { name: event.name, data: event.data ?? {} })
    } else if (event.type === 'thread.item.done' && event.item.type === 'user_message') {
      change.sending = null
    }
    if (thread !== this.#current.thread || change.threadId !== undefined) this.state.set(change)
    if (event.type === 'thread.created') {
      this.#host.emit('chatkit.thread.change', { threadId: event.thread.id })
    } else if (event.type === 'error') {
      const error = new Error(event.message ?? event.code)
      this.#host.emit('chatkit.error', { error })
    }
  }

  /**
   * Put a message that the server has not confirmed back to where it was written, and return whether
   * it is there: it may be in the thread all the same, if the server was not heard to the end.
   */
  async #settle(mayBeTaken: boolean): Promise<boolean> {
    const { sending, threadId, thread, draft } = this.#current
    if (sending === null) return false
    const known = new Set(thread.items.map((item) => item.id))
    if (threadId !== null && mayBeTaken) await this.#load(threadId, true)
    if (this.#current.sending !== sending) return false
    const said = textOf(sendable(sending.content))
    const isBack = !this.#current.thread.items.some(
      (item) =>
        item.type === 'user_message' && !known.has(item.id) && textOf(item.content) === said,
    )
    this.state.set({ sending: null })
    if (isBack) draft.restore(sending)
    return isBack
  }

  /** Say what has happened, and show the thread as the server has it. */
  async #recover(error: unknown): Promise<void> {
    this.#host.emit('chatkit.error', { error: error as Error })
    const { sending, threadId, thread } = this.#current
    if (sending === null && threadId !== null) await this.#load(threadId, true)
    const isBack = await this.#settle(true)
    const message = this.#explain(error)
    this.state.set({
      thread: {
        ...(threadId === null ? thread : this.#current.thread),
        // A message that goes back to the composer is sent again from there.
        error: { code: 'connection', message, allowRetry: !isBack },
      },
    })
  }

  /** Return what a person is told of an error. */
  #explain(error: unknown): string {
    const { say } = this.texts
    if (!(error instanceof ProtocolError)) return say('failed')
    switch (error.kind) {
      case 'lost':
        return say('connectionLost')
      case 'unreachable':
        return say('unreachable')
      case 'http':
        return error.reason ?? say('serverError', { status: error.status ?? 0 })
      default:
        return say('unreadable')
    }
  }

  /** Make the call that the server waits for, if there is one. */
  async #callTool(): Promise<void> {
    const { thread, threadId, options } = this.#current
    const call = thread.items.findLast(isPendingCall)
    if (call === undefined || threadId === null || this.#called.has(call.id)) return
    this.#called.add(call.id)
    let result: unknown
    try {
      if (options?.onClientTool === undefined) {
        throw new Error(`This page has no client tools, and ${call.name} was called.`)
      }
      result = await options.onClientTool({ name: call.name, params: call.arguments })
    } catch (error) {
      result = { error: messageOf(error) }
      this.#host.emit('chatkit.error', { error: error as Error })
    }
    if (this.#current.threadId !== threadId) return
    const metadata = { call_id: call.call_id }
    this.state.set({
      thread: reduce(this.#current.thread, {
        type: 'thread.item.replaced',
        item: { ...call, status: 'completed', output: result },
      }),
    })
    await this.#respond((client, init) =>
      client.stream(
        'threads.add_client_tool_output',
        { thread_id: threadId, result: result ?? null },
        { ...init, metadata },
      ),
    )
  }

  #called = new Set<string>()
}

/** What went wrong with an action, in words for whoever acted. */
export class ActionError extends Error {
  override readonly name = 'ActionError'
}

type AnyAction = Pick<Action, 'type' | 'payload'>
type SentAction = Parameters<ChatMethods['sendCustomAction']>[0]

/** Return an action as the app and the server know it. */
function asSent(action: AnyAction): SentAction {
  const { type, payload } = action
  return { type, ...(payload !== undefined && { payload: payload as Record<string, unknown> }) }
}

function isPendingCall(item: ThreadItem): item is ClientToolCallItem {
  return item.type === 'client_tool_call' && (item.status ?? 'pending') === 'pending'
}

function fileName(title: string): string {
  return title.replaceAll(/[\\/:*?"<>|\p{Cc}]+/gu, ' ').trim().slice(0, 80) || 'chat'
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Return the model that is chosen, or else the one that is chosen by default. */
function modelOf(models: readonly ModelOption[], chosen: string | null): string | null {
  const enabled = models.filter((model) => !model.disabled)
  const model =
    enabled.find(({ id }) => id === chosen) ?? enabled.find((each) => each.default) ?? enabled[0]
  return model?.id ?? null
}

function isAborted(error: unknown): boolean {
  return error instanceof ProtocolError && error.kind === 'aborted'
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
