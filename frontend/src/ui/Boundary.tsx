import { Component, type ReactNode } from 'react'

interface BoundaryProps {
  /** Shown if the children cannot be rendered. */
  fallback: ReactNode
  children: ReactNode
}

/** Keeps an error in its children from breaking the rest of the page. */
export class Boundary extends Component<BoundaryProps, { hasFailed: boolean }> {
  override state = { hasFailed: false }

  static getDerivedStateFromError(): { hasFailed: boolean } {
    return { hasFailed: true }
  }

  override componentDidUpdate(before: BoundaryProps): void {
    // Changed children get another try.
    if (this.state.hasFailed && before.children !== this.props.children) {
      this.setState({ hasFailed: false })
    }
  }

  override render(): ReactNode {
    return this.state.hasFailed ? this.props.fallback : this.props.children
  }
}
