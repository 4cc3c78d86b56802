/** The icons of the chat's own buttons. */

export {
  ArrowDown as DownIcon,
  Download as ExportIcon,
  ArrowUp as SendIcon,
  ArrowRotateCw as RetryIcon,
  Check as CheckIcon,
  ChevronRight as UnfoldIcon,
  ComposeEditSquare as NewIcon,
  Copy as CopyIcon,
  ExclamationMarkCircle as FailedIcon,
  History as HistoryIcon,
  PaperclipAttach as AttachIcon,
  Pencil as RenameIcon,
  Quote as QuoteIcon,
  Stop as StopIcon,
  ThumbDown as DislikeIcon,
  ThumbUp as LikeIcon,
  Trash as DeleteIcon,
  X as CloseIcon,
} from '@openai/apps-sdk-ui/components/Icon'
