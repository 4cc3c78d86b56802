import { useText } from '../ui/context'
import type { Threads } from './useThreads'

interface ListStatusProps extends Pick<Threads, 'status' | 'isEmpty' | 'retry'> {
  isSearch: boolean
}

/** Says that the list is loading, failed to load, or is empty. */
export function ListStatus({ status, isEmpty, isSearch, retry }: ListStatusProps) {
  const text = useText()
  return (
    <>
      {status === 'loading' && <p className="waiting">{text('loading')}</p>}
      {status === 'failed' && (
        <p className="note danger" role="alert">
          <span>{text('chatsFailed')}</span>
          <button type="button" className="prompt" onClick={retry}>
            {text('tryAgain')}
          </button>
        </p>
      )}
      <p className="caption" role="status">
        {status === 'ready' && isEmpty ? text(isSearch ? 'nothingFound' : 'noChats') : ''}
      </p>
    </>
  )
}
