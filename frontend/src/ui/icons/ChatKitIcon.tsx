import { chatkitIcons } from './chatkitIcons'

export default function ChatKitIcon({ name }: { name: string }) {
  if (!Object.hasOwn(chatkitIcons, name)) return null
  const Icon = chatkitIcons[name as keyof typeof chatkitIcons]
  return <Icon aria-hidden />
}
