/** Generated from the Python package chatkit by `npm run types`. */

export type ChatKitReq =
  | ThreadsCreateReq
  | ThreadsAddUserMessageReq
  | ThreadsAddClientToolOutputReq
  | ThreadsAddStructuredInputReq
  | ThreadsRetryAfterItemReq
  | ThreadsCustomActionReq
  | ThreadsGetByIdReq
  | ThreadsListReq
  | ItemsListReq
  | ItemsFeedbackReq
  | AttachmentsCreateReq
  | AttachmentsDeleteReq
  | ThreadsUpdateReq
  | ThreadsDeleteReq
  | InputTranscribeReq
  | ThreadsSyncCustomActionReq
export type ThreadStreamEvent =
  | ThreadCreatedEvent
  | ThreadUpdatedEvent
  | ThreadItemDoneEvent
  | ThreadItemAddedEvent
  | ThreadItemUpdatedEvent
  | ThreadItemRemovedEvent
  | ThreadItemReplacedEvent
  | StreamOptionsEvent
  | ProgressUpdateEvent
  | ClientEffectEvent
  | ErrorEvent
  | NoticeEvent
export type ErrorCode = 'stream.error'
export type ThreadItem =
  | UserMessageItem
  | AssistantMessageItem
  | ClientToolCallItem
  | WidgetItem
  | GeneratedImageItem
  | StructuredInputItem
  | WorkflowItem
  | TaskItem
  | HiddenContextItem
  | SDKHiddenContextItem
  | EndOfTurnItem
export type Attachment = FileAttachment | ImageAttachment

export interface Protocol {
  ChatKitReq: ChatKitReq
  ThreadStreamEvent: ThreadStreamEvent
  Thread: Thread
  ThreadMetadata: ThreadMetadata
  ThreadItem: ThreadItem
  ThreadPage: ThreadPage
  ItemPage: ItemPage
  Attachment: Attachment
  StructuredInputSubmission: StructuredInputSubmission
  SyncCustomActionResponse: SyncCustomActionResponse
  TranscriptionResult: TranscriptionResult
}
export interface ThreadsCreateReq {
  metadata?: {
    [k: string]: unknown
  }
  type: 'threads.create'
  params: ThreadCreateParams
}
export interface ThreadCreateParams {
  input: UserMessageInput
}
export interface UserMessageInput {
  content: (UserMessageTextContent | UserMessageTagContent)[]
  attachments: string[]
  quoted_text?: string | null
  inference_options: InferenceOptions
}
export interface UserMessageTextContent {
  type: 'input_text'
  text: string
}
export interface UserMessageTagContent {
  type: 'input_tag'
  id: string
  text: string
  data: {
    [k: string]: unknown
  }
  group?: string | null
  interactive?: boolean
}
export interface InferenceOptions {
  tool_choice?: ToolChoice | null
  model?: string | null
}
export interface ToolChoice {
  id: string
}
export interface ThreadsAddUserMessageReq {
  metadata?: {
    [k: string]: unknown
  }
  type: 'threads.add_user_message'
  params: ThreadAddUserMessageParams
}
export interface ThreadAddUserMessageParams {
  input: UserMessageInput
  thread_id: string
}
export interface ThreadsAddClientToolOutputReq {
  metadata?: {
    [k: string]: unknown
  }
  type: 'threads.add_client_tool_output'
  params: ThreadAddClientToolOutputParams
}
export interface ThreadAddClientToolOutputParams {
  thread_id: string
  result: unknown
}
export interface ThreadsAddStructuredInputReq {
  metadata?: {
    [k: string]: unknown
  }
  type: 'threads.add_structured_input'
  params: ThreadAddStructuredInputParams
}
export interface ThreadAddStructuredInputParams {
  thread_id: string
  item_id: string
  input: StructuredInputSubmission
}
export interface StructuredInputSubmission {
  status?: 'answered' | 'skipped'
  answers?: {
    [k: string]: StructuredInputAnswerSubmission
  }
}
export interface StructuredInputAnswerSubmission {
  values?: string[]
  skipped?: boolean
}
export interface ThreadsRetryAfterItemReq {
  metadata?: {
    [k: string]: unknown
  }
  type: 'threads.retry_after_item'
  params: ThreadRetryAfterItemParams
}
export interface ThreadRetryAfterItemParams {
  thread_id: string
  item_id: string
}
export interface ThreadsCustomActionReq {
  metadata?: {
    [k: string]: unknown
  }
  type: 'threads.custom_action'
  params: ThreadCustomActionParams
}
export interface ThreadCustomActionParams {
  thread_id: string
  item_id?: string | null
  action: Action
}
export interface Action {
  type: string
  payload?: unknown
}
export interface ThreadsGetByIdReq {
  metadata?: {
    [k: string]: unknown
  }
  type: 'threads.get_by_id'
  params: ThreadGetByIdParams
}
export interface ThreadGetByIdParams {
  thread_id: string
}
export interface ThreadsListReq {
  metadata?: {
    [k: string]: unknown
  }
  type: 'threads.list'
  params: ThreadListParams
}
export interface ThreadListParams {
  limit?: number | null
  order?: 'asc' | 'desc'
  after?: string | null
}
export interface ItemsListReq {
  metadata?: {
    [k: string]: unknown
  }
  type: 'items.list'
  params: ItemsListParams
}
export interface ItemsListParams {
  thread_id: string
  limit?: number | null
  order?: 'asc' | 'desc'
  after?: string | null
}
export interface ItemsFeedbackReq {
  metadata?: {
    [k: string]: unknown
  }
  type: 'items.feedback'
  params: ItemFeedbackParams
}
export interface ItemFeedbackParams {
  thread_id: string
  item_ids: string[]
  kind: 'positive' | 'negative'
}
export interface AttachmentsCreateReq {
  metadata?: {
    [k: string]: unknown
  }
  type: 'attachments.create'
  params: AttachmentCreateParams
}
export interface AttachmentCreateParams {
  name: string
  size: number
  mime_type: string
}
export interface AttachmentsDeleteReq {
  metadata?: {
    [k: string]: unknown
  }
  type: 'attachments.delete'
  params: AttachmentDeleteParams
}
export interface AttachmentDeleteParams {
  attachment_id: string
}
export interface ThreadsUpdateReq {
  metadata?: {
    [k: string]: unknown
  }
  type: 'threads.update'
  params: ThreadUpdateParams
}
export interface ThreadUpdateParams {
  thread_id: string
  title: string
}
export interface ThreadsDeleteReq {
  metadata?: {
    [k: string]: unknown
  }
  type: 'threads.delete'
  params: ThreadDeleteParams
}
export interface ThreadDeleteParams {
  thread_id: string
}
export interface InputTranscribeReq {
  metadata?: {
    [k: string]: unknown
  }
  type: 'input.transcribe'
  params: InputTranscribeParams
}
export interface InputTranscribeParams {
  audio_base64: string
  mime_type: string
}
export interface ThreadsSyncCustomActionReq {
  metadata?: {
    [k: string]: unknown
  }
  type: 'threads.sync_custom_action'
  params: ThreadCustomActionParams
}
export interface ThreadCreatedEvent {
  type: 'thread.created'
  thread: Thread
}
export interface Thread {
  title?: string | null
  id: string
  created_at: string
  status?: ActiveStatus | LockedStatus | ClosedStatus
  allowed_image_domains?: string[] | null
  metadata?: {
    [k: string]: unknown
  }
  items: ItemPage
}
export interface ActiveStatus {
  type: 'active'
}
export interface LockedStatus {
  type: 'locked'
  reason?: string | null
}
export interface ClosedStatus {
  type: 'closed'
  reason?: string | null
}
export interface ItemPage {
  data?: (
    | UserMessageItem
    | AssistantMessageItem
    | ClientToolCallItem
    | WidgetItem
    | GeneratedImageItem
    | StructuredInputItem
    | WorkflowItem
    | TaskItem
    | HiddenContextItem
    | SDKHiddenContextItem
    | EndOfTurnItem
  )[]
  has_more?: boolean
  after?: string | null
}
export interface UserMessageItem {
  id: string
  thread_id: string
  created_at: string
  type: 'user_message'
  content: (UserMessageTextContent | UserMessageTagContent)[]
  attachments?: (FileAttachment | ImageAttachment)[]
  quoted_text?: string | null
  inference_options: InferenceOptions
}
export interface FileAttachment {
  id: string
  name: string
  mime_type: string
  upload_descriptor?: AttachmentUploadDescriptor | null
  thread_id?: string | null
  metadata?: {
    [k: string]: unknown
  } | null
  type: 'file'
}
export interface AttachmentUploadDescriptor {
  url: string
  method: 'POST' | 'PUT'
  headers?: {
    [k: string]: string
  }
}
export interface ImageAttachment {
  id: string
  name: string
  mime_type: string
  upload_descriptor?: AttachmentUploadDescriptor | null
  thread_id?: string | null
  metadata?: {
    [k: string]: unknown
  } | null
  type: 'image'
  preview_url: string
}
export interface AssistantMessageItem {
  id: string
  thread_id: string
  created_at: string
  type: 'assistant_message'
  content: AssistantMessageContent[]
}
export interface AssistantMessageContent {
  annotations?: Annotation[]
  text: string
  type: 'output_text'
}
export interface Annotation {
  type: 'annotation'
  source: URLSource | FileSource | EntitySource
  index?: number | null
}
export interface URLSource {
  title: string
  description?: string | null
  timestamp?: string | null
  group?: string | null
  type: 'url'
  url: string
  attribution?: string | null
}
export interface FileSource {
  title: string
  description?: string | null
  timestamp?: string | null
  group?: string | null
  type: 'file'
  filename: string
}
export interface EntitySource {
  title: string
  description?: string | null
  timestamp?: string | null
  group?: string | null
  type: 'entity'
  id: string
  icon?:
    | (
        | 'agent'
        | 'analytics'
        | 'atom'
        | 'batch'
        | 'bolt'
        | 'book-open'
        | 'book-closed'
        | 'book-clock'
        | 'bug'
        | 'calendar'
        | 'chart'
        | 'check'
        | 'check-circle'
        | 'check-circle-filled'
        | 'chevron-left'
        | 'chevron-right'
        | 'circle-question'
        | 'clock'
        | 'compass'
        | 'confetti'
        | 'cube'
        | 'desktop'
        | 'document'
        | 'dot'
        | 'dots-horizontal'
        | 'dots-vertical'
        | 'empty-circle'
        | 'external-link'
        | 'globe'
        | 'keys'
        | 'lab'
        | 'images'
        | 'info'
        | 'lifesaver'
        | 'lightbulb'
        | 'mail'
        | 'map-pin'
        | 'maps'
        | 'mobile'
        | 'name'
        | 'notebook'
        | 'notebook-pencil'
        | 'page-blank'
        | 'phone'
        | 'play'
        | 'plus'
        | 'profile'
        | 'profile-card'
        | 'reload'
        | 'star'
        | 'star-filled'
        | 'search'
        | 'sparkle'
        | 'sparkle-double'
        | 'square-code'
        | 'square-image'
        | 'square-text'
        | 'suitcase'
        | 'settings-slider'
        | 'user'
        | 'wreath'
        | 'write'
        | 'write-alt'
        | 'write-alt2'
      )
    | string
    | null
  label?: string | null
  inline_label?: string | null
  interactive?: boolean
  data?: {
    [k: string]: unknown
  }
  /**
   * @deprecated
   */
  preview?: 'lazy' | null
}
export interface ClientToolCallItem {
  id: string
  thread_id: string
  created_at: string
  type: 'client_tool_call'
  status?: 'pending' | 'completed'
  call_id: string
  name: string
  arguments: {
    [k: string]: unknown
  }
  output?: unknown
}
export interface WidgetItem {
  id: string
  thread_id: string
  created_at: string
  type: 'widget'
  widget: Widget
  copy_text?: string | null
}
export interface Widget {
  type: string
  id?: string
  key?: string
  [k: string]: unknown
}
export interface GeneratedImageItem {
  id: string
  thread_id: string
  created_at: string
  type: 'generated_image'
  image?: GeneratedImage | null
}
export interface GeneratedImage {
  id: string
  url: string
}
export interface StructuredInputItem {
  id: string
  thread_id: string
  created_at: string
  type: 'structured_input'
  status?: 'pending' | 'answered' | 'skipped'
  inputs: (StructuredInputMultipleChoice | StructuredInputFreeform)[]
}
export interface StructuredInputMultipleChoice {
  id: string
  question: string
  answer?: StructuredInputAnswer | null
  type: 'multiple_choice'
  options: StructuredInputMultipleChoiceOption[]
  multiple?: boolean
}
export interface StructuredInputAnswer {
  values?: string[]
  skipped?: boolean
}
export interface StructuredInputMultipleChoiceOption {
  value: string
}
export interface StructuredInputFreeform {
  id: string
  question: string
  answer?: StructuredInputAnswer | null
  type: 'freeform'
  description?: string | null
}
export interface WorkflowItem {
  id: string
  thread_id: string
  created_at: string
  type: 'workflow'
  workflow: Workflow
}
export interface Workflow {
  type: 'custom' | 'reasoning'
  tasks: (CustomTask | SearchTask | ThoughtTask | FileTask | ImageTask)[]
  summary?: CustomSummary | DurationSummary | null
  expanded?: boolean
}
export interface CustomTask {
  status_indicator?: 'none' | 'loading' | 'complete'
  type: 'custom'
  title?: string | null
  icon?:
    | (
        | 'agent'
        | 'analytics'
        | 'atom'
        | 'batch'
        | 'bolt'
        | 'book-open'
        | 'book-closed'
        | 'book-clock'
        | 'bug'
        | 'calendar'
        | 'chart'
        | 'check'
        | 'check-circle'
        | 'check-circle-filled'
        | 'chevron-left'
        | 'chevron-right'
        | 'circle-question'
        | 'clock'
        | 'compass'
        | 'confetti'
        | 'cube'
        | 'desktop'
        | 'document'
        | 'dot'
        | 'dots-horizontal'
        | 'dots-vertical'
        | 'empty-circle'
        | 'external-link'
        | 'globe'
        | 'keys'
        | 'lab'
        | 'images'
        | 'info'
        | 'lifesaver'
        | 'lightbulb'
        | 'mail'
        | 'map-pin'
        | 'maps'
        | 'mobile'
        | 'name'
        | 'notebook'
        | 'notebook-pencil'
        | 'page-blank'
        | 'phone'
        | 'play'
        | 'plus'
        | 'profile'
        | 'profile-card'
        | 'reload'
        | 'star'
        | 'star-filled'
        | 'search'
        | 'sparkle'
        | 'sparkle-double'
        | 'square-code'
        | 'square-image'
        | 'square-text'
        | 'suitcase'
        | 'settings-slider'
        | 'user'
        | 'wreath'
        | 'write'
        | 'write-alt'
        | 'write-alt2'
      )
    | string
    | null
  content?: string | null
}
export interface SearchTask {
  status_indicator?: 'none' | 'loading' | 'complete'
  type: 'web_search'
  title?: string | null
  title_query?: string | null
  queries?: string[]
  sources?: URLSource[]
}
export interface ThoughtTask {
  status_indicator?: 'none' | 'loading' | 'complete'
  type: 'thought'
  title?: string | null
  content: string
}
export interface FileTask {
  status_indicator?: 'none' | 'loading' | 'complete'
  type: 'file'
  title?: string | null
  sources?: FileSource[]
}
export interface ImageTask {
  status_indicator?: 'none' | 'loading' | 'complete'
  type: 'image'
  title?: string | null
}
export interface CustomSummary {
  title: string
  icon?:
    | (
        | 'agent'
        | 'analytics'
        | 'atom'
        | 'batch'
        | 'bolt'
        | 'book-open'
        | 'book-closed'
        | 'book-clock'
        | 'bug'
        | 'calendar'
        | 'chart'
        | 'check'
        | 'check-circle'
        | 'check-circle-filled'
        | 'chevron-left'
        | 'chevron-right'
        | 'circle-question'
        | 'clock'
        | 'compass'
        | 'confetti'
        | 'cube'
        | 'desktop'
        | 'document'
        | 'dot'
        | 'dots-horizontal'
        | 'dots-vertical'
        | 'empty-circle'
        | 'external-link'
        | 'globe'
        | 'keys'
        | 'lab'
        | 'images'
        | 'info'
        | 'lifesaver'
        | 'lightbulb'
        | 'mail'
        | 'map-pin'
        | 'maps'
        | 'mobile'
        | 'name'
        | 'notebook'
        | 'notebook-pencil'
        | 'page-blank'
        | 'phone'
        | 'play'
        | 'plus'
        | 'profile'
        | 'profile-card'
        | 'reload'
        | 'star'
        | 'star-filled'
        | 'search'
        | 'sparkle'
        | 'sparkle-double'
        | 'square-code'
        | 'square-image'
        | 'square-text'
        | 'suitcase'
        | 'settings-slider'
        | 'user'
        | 'wreath'
        | 'write'
        | 'write-alt'
        | 'write-alt2'
      )
    | string
    | null
}
export interface DurationSummary {
  duration: number
}
export interface TaskItem {
  id: string
  thread_id: string
  created_at: string
  type: 'task'
  task: CustomTask | SearchTask | ThoughtTask | FileTask | ImageTask
}
export interface HiddenContextItem {
  id: string
  thread_id: string
  created_at: string
  type: 'hidden_context_item'
  content: unknown
}
export interface SDKHiddenContextItem {
  id: string
  thread_id: string
  created_at: string
  type: 'sdk_hidden_context'
  content: string
}
export interface EndOfTurnItem {
  id: string
  thread_id: string
  created_at: string
  type: 'end_of_turn'
}
export interface ThreadUpdatedEvent {
  type: 'thread.updated'
  thread: Thread
}
export interface ThreadItemDoneEvent {
  type: 'thread.item.done'
  item:
    | UserMessageItem
    | AssistantMessageItem
    | ClientToolCallItem
    | WidgetItem
    | GeneratedImageItem
    | StructuredInputItem
    | WorkflowItem
    | TaskItem
    | HiddenContextItem
    | SDKHiddenContextItem
    | EndOfTurnItem
}
export interface ThreadItemAddedEvent {
  type: 'thread.item.added'
  item:
    | UserMessageItem
    | AssistantMessageItem
    | ClientToolCallItem
    | WidgetItem
    | GeneratedImageItem
    | StructuredInputItem
    | WorkflowItem
    | TaskItem
    | HiddenContextItem
    | SDKHiddenContextItem
    | EndOfTurnItem
}
export interface ThreadItemUpdatedEvent {
  type: 'thread.item.updated'
  item_id: string
  update:
    | AssistantMessageContentPartAdded
    | AssistantMessageContentPartTextDelta
    | AssistantMessageContentPartAnnotationAdded
    | AssistantMessageContentPartDone
    | WidgetStreamingTextValueDelta
    | WidgetComponentUpdated
    | WidgetRootUpdated
    | WorkflowTaskAdded
    | WorkflowTaskUpdated
    | GeneratedImageUpdated
}
export interface AssistantMessageContentPartAdded {
  type: 'assistant_message.content_part.added'
  content_index: number
  content: AssistantMessageContent
}
export interface AssistantMessageContentPartTextDelta {
  type: 'assistant_message.content_part.text_delta'
  content_index: number
  delta: string
}
export interface AssistantMessageContentPartAnnotationAdded {
  type: 'assistant_message.content_part.annotation_added'
  content_index: number
  annotation_index: number
  annotation: Annotation
}
export interface AssistantMessageContentPartDone {
  type: 'assistant_message.content_part.done'
  content_index: number
  content: AssistantMessageContent
}
export interface WidgetStreamingTextValueDelta {
  type: 'widget.streaming_text.value_delta'
  component_id: string
  delta: string
  done: boolean
}
export interface WidgetComponentUpdated {
  type: 'widget.component.updated'
  component_id: string
  component: Widget
}
export interface WidgetRootUpdated {
  type: 'widget.root.updated'
  widget: Widget
}
export interface WorkflowTaskAdded {
  type: 'workflow.task.added'
  task_index: number
  task: CustomTask | SearchTask | ThoughtTask | FileTask | ImageTask
}
export interface WorkflowTaskUpdated {
  type: 'workflow.task.updated'
  task_index: number
  task: CustomTask | SearchTask | ThoughtTask | FileTask | ImageTask
}
export interface GeneratedImageUpdated {
  type: 'generated_image.updated'
  image: GeneratedImage
  progress?: number | null
}
export interface ThreadItemRemovedEvent {
  type: 'thread.item.removed'
  item_id: string
}
export interface ThreadItemReplacedEvent {
  type: 'thread.item.replaced'
  item:
    | UserMessageItem
    | AssistantMessageItem
    | ClientToolCallItem
    | WidgetItem
    | GeneratedImageItem
    | StructuredInputItem
    | WorkflowItem
    | TaskItem
    | HiddenContextItem
    | SDKHiddenContextItem
    | EndOfTurnItem
}
export interface StreamOptionsEvent {
  type: 'stream_options'
  stream_options: StreamOptions
}
export interface StreamOptions {
  allow_cancel: boolean
}
export interface ProgressUpdateEvent {
  type: 'progress_update'
  icon?:
    | (
        | 'agent'
        | 'analytics'
        | 'atom'
        | 'batch'
        | 'bolt'
        | 'book-open'
        | 'book-closed'
        | 'book-clock'
        | 'bug'
        | 'calendar'
        | 'chart'
        | 'check'
        | 'check-circle'
        | 'check-circle-filled'
        | 'chevron-left'
        | 'chevron-right'
        | 'circle-question'
        | 'clock'
        | 'compass'
        | 'confetti'
        | 'cube'
        | 'desktop'
        | 'document'
        | 'dot'
        | 'dots-horizontal'
        | 'dots-vertical'
        | 'empty-circle'
        | 'external-link'
        | 'globe'
        | 'keys'
        | 'lab'
        | 'images'
        | 'info'
        | 'lifesaver'
        | 'lightbulb'
        | 'mail'
        | 'map-pin'
        | 'maps'
        | 'mobile'
        | 'name'
        | 'notebook'
        | 'notebook-pencil'
        | 'page-blank'
        | 'phone'
        | 'play'
        | 'plus'
        | 'profile'
        | 'profile-card'
        | 'reload'
        | 'star'
        | 'star-filled'
        | 'search'
        | 'sparkle'
        | 'sparkle-double'
        | 'square-code'
        | 'square-image'
        | 'square-text'
        | 'suitcase'
        | 'settings-slider'
        | 'user'
        | 'wreath'
        | 'write'
        | 'write-alt'
        | 'write-alt2'
      )
    | string
    | null
  text: string
}
export interface ClientEffectEvent {
  type: 'client_effect'
  name: string
  data?: {
    [k: string]: unknown
  }
}
export interface ErrorEvent {
  type: 'error'
  code?: ErrorCode | 'custom'
  message?: string | null
  allow_retry?: boolean
}
export interface NoticeEvent {
  type: 'notice'
  level: 'info' | 'warning' | 'danger'
  message: string
  title?: string | null
}
export interface ThreadMetadata {
  title?: string | null
  id: string
  created_at: string
  status?: ActiveStatus | LockedStatus | ClosedStatus
  allowed_image_domains?: string[] | null
  metadata?: {
    [k: string]: unknown
  }
}
export interface ThreadPage {
  data?: ThreadMetadata[]
  has_more?: boolean
  after?: string | null
}
export interface SyncCustomActionResponse {
  updated_item?:
    | (
        | UserMessageItem
        | AssistantMessageItem
        | ClientToolCallItem
        | WidgetItem
        | GeneratedImageItem
        | StructuredInputItem
        | WorkflowItem
        | TaskItem
        | HiddenContextItem
        | SDKHiddenContextItem
        | EndOfTurnItem
      )
    | null
}
export interface TranscriptionResult {
  text: string
}
