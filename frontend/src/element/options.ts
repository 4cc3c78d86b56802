/** ChatKit's options, and those that only this chat has. */

import type {
  ChatKitOptions,
  HeaderOption,
  HistoryOption,
  StartScreenOption,
  ThemeOption,
  ThreadItemActionsOption,
  WidgetsOption,
} from '@openai/chatkit'

type Extended = 'header' | 'history' | 'startScreen' | 'theme' | 'threadItemActions' | 'widgets'

export type Options = Omit<ChatKitOptions, Extended> & {
  header?: HeaderOption & {
    /** Whether there is a button that saves the thread as a file of Markdown. */
    export?: boolean
  }
  history?: HistoryOption & {
    /** Where the list of chats is: in place of the thread, or beside it where there is room. */
    layout?: 'panel' | 'sidebar'
  }
  startScreen?: StartScreenOption & {
    /** What stands below the greeting. */
    description?: string
  }
  theme?: Exclude<ChatKitOptions['theme'], ThemeOption> | Theme
  threadItemActions?: ThreadItemActionsOption & {
    /** Whether a person may edit what they wrote; the thread then goes on from there. */
    edit?: boolean
  }
  widgets?: WidgetsOption & {
    /** Whose images widgets show: any host's, over https, or the page's own origin's alone. */
    images?: 'https' | 'self'
  }
}

export type Theme = ThemeOption & {
  /** The address of a style sheet, relative to the page, that is applied after the chat's own. */
  css?: string
  /** CSS variables of the chat, such as `--chat-width`. */
  variables?: Record<`--${string}`, string>
}
