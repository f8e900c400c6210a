/** A set of whole numbers that costs one pair for each run of neighbours. */
export class FrameSpans {
  /** [first, last], in any order. */
  private spans: [number, number][] = [];

  has(frame: number): boolean {
    return this.spans.some(([first, last]) => first <= frame && frame <= last);
  }

  add(frame: number): void {
    if (this.has(frame)) return;
    const touches = ([first, last]: [number, number]) => first - 1 <= frame && frame <= last + 1;
    const joined = this.spans.filter(touches);
    const first = Math.min(frame, ...joined.map((span) => span[0]));
    const last = Math.max(frame, ...joined.map((span) => span[1]));
    this.spans = [...this.spans.filter((span) => !touches(span)), [first, last]];
  }
}
