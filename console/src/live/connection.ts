/**
 * The WebSocket `/api/v1/live` without Vue: resumes from the last sequence seen, reconnects with back-off, and takes
 * silence for a loss of the service, whatever the socket itself believes.
 */

import { parsed } from '@/api/parsing';
import type { LiveMessage } from '@/api/types';

export const PROTOCOL = 'anshao.live.v1';
/** Close code: whoever connected may see nothing any more. */
export const SESSION_ENDED = 4001;
/** The page has to say within five seconds that the service is gone: what is left of them is for the look and the drawing. */
export const SILENCE_MS = 4_500;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 8_000;
const WATCH_MS = 250;

export type Phase = 'connecting' | 'live' | 'lost';

/** What the connection needs of a WebSocket. */
export interface Socket {
  onmessage: ((event: MessageEvent<unknown>) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  send(text: string): void;
  close(): void;
}

export interface Surroundings {
  open(since: number | null): Socket;
  /** Milliseconds of a clock that never steps. */
  monotonic(): number;
  /** Milliseconds since 1970 by the browser's clock, for display. */
  wall(): number;
  random(): number;
  /** An attempt ended before the service said hello: find out whether the token is the reason. */
  refused(): void;
}

export interface Listener {
  /** `since`: wall time of the last message, or of the start. */
  phase(phase: Phase, since: number): void;
  /** `fresh`: nothing was resumed, so lists have to be loaded. */
  hello(message: Extract<LiveMessage, { type: 'hello' }>, fresh: boolean): void;
  message(message: Exclude<LiveMessage, { type: 'hello' }>): void;
}

/** Milliseconds to wait before attempt number `attempt` (from 0), with jitter so that consoles do not return as one. */
export function retryDelay(attempt: number, random: number): number {
  return Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt) * (0.5 + random / 2);
}

export class LiveConnection {
  private readonly around: Surroundings;
  private readonly listener: Listener;
  private socket: Socket | null = null;
  private phase: Phase = 'connecting';
  private greeted = false;
  private sequence: number | null = null;
  private attempt = 0;
  private heardAt = 0;
  private heardWall = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private watch: ReturnType<typeof setInterval> | undefined;
  private subscription: readonly string[] = [];

  constructor(around: Surroundings, listener: Listener) {
    this.around = around;
    this.listener = listener;
  }

  start(): void {
    this.heardWall = this.around.wall();
    this.watch = setInterval(() => {
      this.checkSilence();
    }, WATCH_MS);
    this.enter('connecting');
    this.connect();
  }

  stop(): void {
    clearInterval(this.watch);
    clearTimeout(this.retry);
    this.abandon();
  }

  /** Nobody may be shown anything: the connection is let go, and what is on screen is not live any more. */
  pause(): void {
    clearTimeout(this.retry);
    this.abandon();
    this.enter('lost');
  }

  /** Connects again and catches up. */
  resume(): void {
    clearTimeout(this.retry);
    this.abandon();
    this.attempt = 0;
    this.connect();
  }

  /** Tags (`enterprise/tag`) whose readings are wanted; replaces the former list, and is repeated after a reconnect. */
  subscribe(tags: readonly string[]): void {
    this.subscription = tags;
    if (this.greeted) this.socket?.send(JSON.stringify({ subscribe: tags }));
  }

  private connect(): void {
    this.greeted = false;
    this.heardAt = this.around.monotonic();
    const socket = this.around.open(this.sequence);
    this.socket = socket;
    socket.onmessage = (event) => {
      if (typeof event.data === 'string') this.receive(event.data);
    };
    socket.onclose = ({ code }) => {
      const ended = this.greeted && code === SESSION_ENDED;
      this.lose();
      if (ended) this.around.refused();
    };
  }

  private receive(text: string): void {
    const message = parsed(text) as LiveMessage;
    this.heardAt = this.around.monotonic();
    this.heardWall = this.around.wall();
    if (message.type === 'hello') {
      const fresh = this.sequence === null || !message.resumed || message.sequence < this.sequence;
      if (fresh) this.sequence = message.sequence;
      this.greeted = true;
      this.attempt = 0;
      this.listener.hello(message, fresh);
      this.enter('live');
      this.subscribe(this.subscription);
      return;
    }
    if (message.type === 'entry' || message.type === 'beyond') {
      if (this.sequence !== null && message.sequence <= this.sequence) return;
      this.sequence = message.sequence;
    }
    this.listener.message(message);
  }

  private checkSilence(): void {
    if (this.socket !== null && this.around.monotonic() - this.heardAt > SILENCE_MS) this.lose();
  }

  private lose(): void {
    const greeted = this.greeted;
    this.abandon();
    this.enter('lost');
    if (!greeted) this.around.refused();
    clearTimeout(this.retry);
    this.retry = setTimeout(() => {
      this.connect();
    }, retryDelay(this.attempt++, this.around.random()));
  }

  /** Lets go of the socket without waiting for a peer that may be gone. */
  private abandon(): void {
    const socket = this.socket;
    this.socket = null;
    this.greeted = false;
    if (socket === null) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  private enter(phase: Phase): void {
    if (phase === this.phase && phase !== 'connecting') return;
    this.phase = phase;
    this.listener.phase(phase, this.heardWall);
  }
}
