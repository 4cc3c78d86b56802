/** The error of a failed action, next to the control that sent it. */
export function Problem({ message }: { message: string | null }) {
  if (message === null) return null
  return (
    <p className="widget-problem" role="alert" dir="auto">
      {message}
    </p>
  )
}
