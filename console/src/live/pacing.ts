/** When screens are drawn anew under hundreds of changes a second. No Vue: what drawing is, and when it is done, is told. */

/** After a pause the first change shows at once; then screens are drawn at most this often. */
export const REST_MS = 80;
/** A machine that is slow at drawing rests twice as long as it draws, so that it goes on answering its officer. */
const SHARE = 3;
const LONGEST_REST_MS = 400;
/** Something grave waits for one frame, or for as long as drawing takes. */
const FRAME_MS = 16;

export class Pacing {
  private readonly draw: () => void;
  private readonly drawn: () => Promise<void>;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private timerAt = 0;
  private restUntil = -Infinity;
  private graveFrom = -Infinity;

  /** `drawn` resolves when what was drawn last stands in the document. */
  constructor(draw: () => void, drawn: () => Promise<void>) {
    this.draw = draw;
    this.drawn = drawn;
  }

  /** Something changed. `grave`: it may not wait for the others. */
  ask(grave = false): void {
    const at = grave ? this.graveFrom : this.restUntil;
    const wait = at - performance.now();
    if (wait <= 0) {
      this.now();
      return;
    }
    if (this.timer !== undefined && this.timerAt <= at) return;
    clearTimeout(this.timer);
    this.timerAt = at;
    this.timer = setTimeout(() => {
      this.now();
    }, wait);
  }

  /** Somebody waits for an answer to a click. */
  now(): void {
    this.stop();
    const begun = performance.now();
    this.restUntil = begun + REST_MS;
    this.graveFrom = begun + FRAME_MS;
    this.draw();
    void this.drawn().then(() => {
      const taken = performance.now() - begun;
      this.restUntil = Math.max(this.restUntil, begun + Math.min(SHARE * taken, LONGEST_REST_MS));
      this.graveFrom = Math.max(this.graveFrom, begun + Math.min(2 * taken, LONGEST_REST_MS));
    });
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
