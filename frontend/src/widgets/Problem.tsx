/** What went wrong with an action, where it was taken. */
export function Problem({ message }: { message: string | null }) {
  if (message === null) return null
  return (
    <p className="widget-problem" role="alert" dir="auto">
      {message}
    </p>
  )
}
