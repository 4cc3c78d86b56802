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
    /** Whether a button saves the thread as a Markdown file. */
    export?: boolean
  }
  history?: HistoryOption & {
    /** The place of the chat list: instead of the thread, or beside it if there is room. */
    layout?: 'panel' | 'sidebar'
  }
  startScreen?: StartScreenOption & {
    /** The text below the greeting. */
    description?: string
  }
  theme?: Exclude<ChatKitOptions['theme'], ThemeOption> | Theme
  threadItemActions?: ThreadItemActionsOption & {
    /** Whether users may edit their messages; the thread then continues from there. */
    edit?: boolean
  }
  widgets?: WidgetsOption & {
    /** The images that widgets show: any host's over HTTPS, or only those of the page's origin. */
    images?: 'https' | 'self'
  }
}

export type Theme = ThemeOption & {
  /** The address of a style sheet, relative to the page, that is applied after the chat's own. */
  css?: string
  /** CSS variables of the chat, such as `--chat-width`. */
  variables?: Record<`--${string}`, string>
}
