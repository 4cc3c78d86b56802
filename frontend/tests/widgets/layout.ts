/** The layout that jsdom lacks: everything has the same size, and nothing moves. */
export function simulateLayout(): void {
  globalThis.ResizeObserver = class {
    constructor(private readonly callback: ResizeObserverCallback) {}
    observe(): void {
      const entry = { contentRect: { width: 400, height: 200 } } as ResizeObserverEntry
      this.callback([entry], this)
    }
    unobserve(): void {}
    disconnect(): void {}
  }
  globalThis.matchMedia = (media) =>
    ({
      media,
      matches: true,
      addEventListener() {},
      removeEventListener() {},
    }) as unknown as MediaQueryList
}
