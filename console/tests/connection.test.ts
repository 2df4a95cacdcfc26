import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { LiveMessage } from '@/api/types';
import { LiveConnection, retryDelay, SILENCE_MS, type Phase, type Socket } from '@/live/connection';

import { alarm, entry } from './samples';

class FakeSocket implements Socket {
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  sent: string[] = [];
  closed = false;
  readonly since: number | null;

  constructor(since: number | null) {
    this.since = since;
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.closed = true;
  }

  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) } as MessageEvent<unknown>);
  }

  hello(sequence: number, resumed: boolean): void {
    this.say({ type: 'hello', sequence, resumed, now: '2026-06-08T02:30:00.000Z', version: '0.1.0' });
  }

  entry(sequence: number): void {
    this.say({ type: 'entry', sequence, entry: entry({ sequence }), alarm: alarm({ sequence }), incident: null });
  }

  drop(): void {
    this.onclose?.({} as CloseEvent);
  }
}

function setUp() {
  const sockets: FakeSocket[] = [];
  const phases: Phase[] = [];
  const hellos: boolean[] = [];
  const sequences: number[] = [];
  const refused = vi.fn();
  const connection = new LiveConnection(
    {
      open(since) {
        const socket = new FakeSocket(since);
        sockets.push(socket);
        return socket;
      },
      monotonic: () => performance.now(),
      wall: () => Date.now(),
      random: () => 1,
      refused,
    },
    {
      phase: (phase) => phases.push(phase),
      hello: (_, fresh) => hellos.push(fresh),
      message(message: Exclude<LiveMessage, { type: 'hello' }>) {
        if (message.type === 'entry') sequences.push(message.sequence);
      },
    },
  );
  connection.start();
  const latest = (): FakeSocket => {
    const socket = sockets.at(-1);
    if (socket === undefined) throw new Error('nothing was opened');
    return socket;
  };
  return { connection, sockets, phases, hellos, sequences, refused, latest };
}

describe('live connection', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('loads afresh at first and resumes from the last sequence seen after a loss', () => {
    const { sockets, hellos, latest, phases } = setUp();
    latest().hello(7, false);
    latest().entry(8);
    latest().entry(9);
    latest().drop();
    expect(phases).toEqual(['connecting', 'live', 'lost']);
    vi.advanceTimersByTime(1_000);
    expect(sockets.map((socket) => socket.since)).toEqual([null, 9]);
    latest().hello(11, true);
    expect(hellos).toEqual([true, false]);
    expect(phases.at(-1)).toBe('live');
  });

  it('says within five seconds of silence that the service is lost, though the socket says nothing', () => {
    const { latest, phases, sockets } = setUp();
    latest().hello(1, false);
    vi.advanceTimersByTime(SILENCE_MS - 499);
    latest().say({ type: 'readings', items: [] });
    vi.advanceTimersByTime(SILENCE_MS - 500);
    expect(phases.at(-1)).toBe('live');
    vi.advanceTimersByTime(800);
    expect(phases.at(-1)).toBe('lost');
    expect(sockets[0]?.closed).toBe(true);
    expect(sockets[0]?.onmessage).toBeNull();
  });

  it('takes each entry once, whatever the service repeats', () => {
    const { latest, sequences } = setUp();
    latest().hello(3, false);
    for (const sequence of [4, 5, 5, 4, 6]) latest().entry(sequence);
    expect(sequences).toEqual([4, 5, 6]);
  });

  it('loads afresh when the service could not resume, or has begun a new journal', () => {
    const { latest, hellos } = setUp();
    latest().hello(100, false);
    latest().drop();
    vi.advanceTimersByTime(10_000);
    latest().hello(140, false);
    latest().drop();
    vi.advanceTimersByTime(10_000);
    latest().hello(5, true);
    expect(hellos).toEqual([true, true, true]);
    latest().entry(6);
  });

  it('asks why when it was refused before a hello', () => {
    const { latest, refused } = setUp();
    latest().drop();
    expect(refused).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1_000);
    latest().hello(1, false);
    latest().drop();
    expect(refused).toHaveBeenCalledTimes(1);
  });

  it('repeats its subscription after a reconnect', () => {
    const { connection, latest } = setUp();
    connection.subscribe(['huarui/GT-101']);
    expect(latest().sent).toEqual([]);
    latest().hello(1, false);
    expect(latest().sent).toEqual(['{"subscribe":["huarui/GT-101"]}']);
    latest().drop();
    vi.advanceTimersByTime(1_000);
    latest().hello(1, true);
    expect(latest().sent).toEqual(['{"subscribe":["huarui/GT-101"]}']);
  });

  it('opens nothing more once stopped', () => {
    const { connection, sockets, latest } = setUp();
    latest().hello(1, false);
    connection.stop();
    vi.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(1);
    expect(latest().closed).toBe(true);
  });

  it('waits longer after each failure, up to eight seconds, with jitter', () => {
    expect([0, 1, 2, 3, 4, 9].map((attempt) => retryDelay(attempt, 1))).toEqual([500, 1000, 2000, 4000, 8000, 8000]);
    expect(retryDelay(4, 0)).toBe(4000);
  });
});
