/** Web Audio, thin: plays patterns, and knows whether the browser lets anything be heard. */

import type { Note } from '@/sound/patterns';

/**
 * `starting`: not known yet. `blocked`: the browser waits for a click. `stalled`: it says that it plays, and its clock
 * stands still. `missing`: no Web Audio.
 */
export type Status = 'starting' | 'on' | 'blocked' | 'stalled' | 'missing';

/** How long a context may take to run. */
const PATIENCE_MS = 700;
/** Without a ramp each pulse would begin and end with a click. */
const RAMP_S = 0.008;
/** Web Audio is asked for sounds this far ahead. */
const LEAD_S = 0.03;

export class AudioEngine {
  private readonly changed: (status: Status) => void;
  private context: AudioContext | null = null;
  private master: GainNode | null = null;
  private analyser: AnalyserNode | null = null;
  private readonly playing = new Set<OscillatorNode>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private volume = 1;

  constructor(changed: (status: Status) => void) {
    this.changed = changed;
  }

  /**
   * Finds out whether sound is let through. A media element says it without a context, which Chromium would complain
   * of where it is not.
   */
  async probe(): Promise<void> {
    if (!('AudioContext' in window)) {
      this.changed('missing');
      return;
    }
    if (!navigator.userActivation.hasBeenActive) {
      const refused = await Promise.race([
        new Audio().play().then(
          () => false,
          (error: unknown) => error instanceof DOMException && error.name === 'NotAllowedError',
        ),
        pause(PATIENCE_MS).then(() => false),
      ]);
      if (refused && this.context === null) {
        this.changed('blocked');
        return;
      }
    }
    await this.unlock();
  }

  /** Runs the context. To be called within a click or a key, or where none is needed. */
  async unlock(): Promise<void> {
    const context = this.context ?? this.open();
    if (context.state !== 'running') await Promise.race([context.resume().catch(() => undefined), pause(PATIENCE_MS)]);
    this.tell(context);
  }

  play(pattern: readonly Note[]): void {
    const { context, master } = this;
    if (context === null || master === null || context.state !== 'running') return;
    this.silence();
    const start = context.currentTime + LEAD_S;
    for (const note of pattern) this.sound(context, master, start, note);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.changed(context.currentTime > start ? 'on' : 'stalled');
    }, PATIENCE_MS);
  }

  /** Ends what sounds now. */
  silence(): void {
    for (const oscillator of this.playing) oscillator.stop();
    this.playing.clear();
  }

  setVolume(volume: number): void {
    this.volume = volume;
    if (this.master !== null) this.master.gain.value = volume;
  }

  /** The loudest of the last few hundredths of a second, 0 to 1. */
  level(): number {
    if (this.analyser === null) return 0;
    const samples = new Float32Array(this.analyser.fftSize);
    this.analyser.getFloatTimeDomainData(samples);
    return samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  }

  close(): void {
    clearTimeout(this.timer);
    this.silence();
    void this.context?.close();
    this.context = null;
  }

  private open(): AudioContext {
    const context = new AudioContext();
    const master = context.createGain();
    const analyser = context.createAnalyser();
    master.gain.value = this.volume;
    master.connect(analyser).connect(context.destination);
    context.addEventListener('statechange', () => {
      if (this.context === context) this.tell(context);
    });
    this.context = context;
    this.master = master;
    this.analyser = analyser;
    return context;
  }

  private tell(context: AudioContext): void {
    this.changed(context.state === 'running' ? 'on' : 'blocked');
  }

  private sound(context: AudioContext, master: GainNode, start: number, note: Note): void {
    const begin = start + note.at / 1_000;
    const end = begin + note.length / 1_000;
    const oscillator = new OscillatorNode(context, { type: note.wave, frequency: note.frequency });
    if (note.to !== undefined) {
      oscillator.frequency.setValueAtTime(note.frequency, begin);
      oscillator.frequency.exponentialRampToValueAtTime(note.to, end);
    }
    const gain = new GainNode(context, { gain: 0 });
    gain.gain.setValueAtTime(0, begin);
    gain.gain.linearRampToValueAtTime(note.gain, begin + RAMP_S);
    gain.gain.setValueAtTime(note.gain, end - RAMP_S);
    gain.gain.linearRampToValueAtTime(0, end);
    oscillator.connect(gain).connect(master);
    oscillator.addEventListener('ended', () => {
      this.playing.delete(oscillator);
      gain.disconnect();
    });
    oscillator.start(begin);
    oscillator.stop(end);
    this.playing.add(oscillator);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
