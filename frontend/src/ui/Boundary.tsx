import { Component, type ReactNode } from 'react'

interface BoundaryProps {
  /** What stands in the place of what cannot be drawn. */
  fallback: ReactNode
  children: ReactNode
}

/** Keeps what cannot be drawn from taking the rest with it. */
export class Boundary extends Component<BoundaryProps, { hasFailed: boolean }> {
  override state = { hasFailed: false }

  static getDerivedStateFromError(): { hasFailed: boolean } {
    return { hasFailed: true }
  }

  override componentDidUpdate(before: BoundaryProps): void {
    // What has changed may be drawn again.
    if (this.state.hasFailed && before.children !== this.props.children) {
      this.setState({ hasFailed: false })
    }
  }

  override render(): ReactNode {
    return this.state.hasFailed ? this.props.fallback : this.props.children
  }
}
