import { type Component, truncateToWidth } from "@earendil-works/pi-tui";

/** A line that is cut where the terminal ends. */
export class OneLine implements Component {
  #text = "";

  setText(text: string): void {
    this.#text = text;
  }

  invalidate(): void {}

  render(width: number): string[] {
    return [truncateToWidth(` ${this.#text}`, width)];
  }
}
