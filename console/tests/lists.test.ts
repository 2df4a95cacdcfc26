import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Problem } from '@/api/client';
import type { Alarm } from '@/api/types';
import type { Socket } from '@/live/connection';
import { ServiceClock } from '@/live/clock';
import { counted } from '@/live/lists';
import { Readings } from '@/live/readings';
import { LiveStore } from '@/live/store';

import { alarm, entry } from './samples';

const answers = vi.hoisted(() => ({ alarms: vi.fn<() => Promise<Alarm[]>>() }));
vi.mock('@/preferences/preferences', () => ({ officer: { value: '' }, desk: { value: '' } }));
vi.mock('@/api/endpoints', () => ({
  activeAlarms: answers.alarms,
  openIncidents: async () => Promise.resolve([]),
  places: async () => Promise.resolve({ items: [], regions: [] }),
  desks: async () => Promise.resolve([]),
  present: async () => Promise.resolve(),
}));

let socket: Socket;
let store: LiveStore;

function say(message: object): void {
  socket.onmessage?.({ data: JSON.stringify(message) } as MessageEvent<unknown>);
}

function hello(sequence: number, resumed: boolean): void {
  say({ type: 'hello', sequence, resumed, now: '2026-06-08T02:30:00.000Z', version: '0.1.0' });
}

function drop(): void {
  socket.onclose?.({} as CloseEvent);
}

function setUp(): void {
  const open = (): Socket => (socket = { onmessage: null, onclose: null, send: () => undefined, close: () => undefined });
  const around = { open, monotonic: () => performance.now(), wall: () => Date.now(), random: () => 1, refused: () => undefined };
  store = new LiveStore(around, new Readings(), new ServiceClock());
  store.start();
}

describe('what the lists are worth', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    setUp();
  });
  afterEach(() => {
    store.stop();
    vi.useRealTimers();
  });

  it('says nothing before they have been read, however live the connection is', async () => {
    let answer: (alarms: Alarm[]) => void = () => undefined;
    answers.alarms.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
    expect(store.lists.value).toBe('unread');
    hello(7, false);
    expect([store.current.value, store.lists.value]).toEqual(['live', 'unread']);
    answer([]);
    await vi.advanceTimersByTimeAsync(0);
    expect(store.lists.value).toBe('current');
  });

  it('asks again where they could not be read, and knows nothing until then', async () => {
    answers.alarms.mockRejectedValueOnce(new Problem(503, 'Service Unavailable', ''));
    hello(7, false);
    await vi.advanceTimersByTimeAsync(0);
    expect(store.lists.value).toBe('unread');
    answers.alarms.mockResolvedValueOnce([]);
    await vi.advanceTimersByTimeAsync(3000);
    expect(store.lists.value).toBe('current');
  });

  it('are old from the loss until the journal has been caught up with', async () => {
    answers.alarms.mockResolvedValueOnce([]);
    hello(7, false);
    await vi.advanceTimersByTimeAsync(0);
    drop();
    expect(store.lists.value).toBe('old');
    await vi.advanceTimersByTimeAsync(500);
    hello(8, true);
    expect([store.current.value, store.lists.value]).toEqual(['live', 'old']);
    say({ type: 'entry', sequence: 8, entry: entry({ sequence: 8 }), alarm: alarm({ sequence: 8 }), incident: null });
    expect(store.lists.value).toBe('current');
  });

  it('are old where they are read anew, until the answer, whatever it takes', async () => {
    answers.alarms.mockResolvedValueOnce([alarm()]);
    hello(7, false);
    await vi.advanceTimersByTimeAsync(0);
    drop();
    await vi.advanceTimersByTimeAsync(500);
    answers.alarms.mockRejectedValueOnce(new Problem(503, 'Service Unavailable', ''));
    hello(3, false);
    expect(store.lists.value).toBe('old');
    await vi.advanceTimersByTimeAsync(0);
    expect(store.lists.value).toBe('old');
    answers.alarms.mockResolvedValueOnce([]);
    await vi.advanceTimersByTimeAsync(3000);
    expect(store.lists.value).toBe('current');
  });
});

describe('a number out of the lists', () => {
  it('is none only where they are current, and stays where it was not none', () => {
    expect((['unread', 'old', 'current'] as const).map((lists) => counted(0, lists))).toEqual(['—', '—', '0']);
    expect((['unread', 'old', 'current'] as const).map((lists) => counted(3, lists))).toEqual(['—', '3', '3']);
  });
});
