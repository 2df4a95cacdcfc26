/** The alarm list by keyboard: going, selecting, acting. */

import { computed, nextTick, shallowRef, type ComputedRef } from 'vue';
import { useRouter } from 'vue-router';

import type { Line } from '@/alarms/grouping';
import { nextAct, type Act } from '@/alarms/states';
import type { Alarm } from '@/api/types';
import { useShortcuts } from '@/keyboard/shortcuts';
import { OF_ALARM } from '@/session/operations';
import { may } from '@/session/session';
import { alarmsOn, indexOf, sameUnit, stepped, toAcknowledge, waiting, type Cursor } from '@/watch/cursor';

const PAGE = 10;

export interface RowKeysOf {
  rows: ComputedRef<readonly Alarm[]>;
  lines: ComputedRef<readonly Line[]>;
  /** What of the selection still waits. */
  selection: ComputedRef<readonly Alarm[]>;
  /** The box that scrolls. */
  box: () => HTMLElement | null;
  rowHeight: () => number;
  /** Holds the rows for a while. */
  touch: () => void;
  select: (alarms: readonly Alarm[], chosen: boolean) => void;
  selectNone: () => void;
  act: (act: Act, alarms: Alarm[]) => void;
  toggle: (key: string) => void;
  showNew: () => void;
}

export interface RowKeys {
  /** Key of the line that the keyboard stands on. */
  cursor: ComputedRef<Line['key'] | null>;
  /** Back to that line when a dialog has closed; where it went elsewhere, as what was acknowledged, to what stands there now. */
  refocus: () => void;
  /** The focus has come to an element: by a click or the Tab key as well. */
  follow: (element: Element) => void;
}

export function useRowKeys(list: RowKeysOf): RowKeys {
  const router = useRouter();
  const cursor = shallowRef<Cursor | null>(null);
  const line = (): Line | undefined => list.lines.value[indexOf(list.lines.value, cursor.value)];
  const first = (): Alarm | undefined => alarmsOn(line())[0];

  /** Into view, then under the focus, for it is drawn only when it is in view. */
  function show(index: number): void {
    const box = list.box();
    if (box === null) return;
    const [top, height] = [index * list.rowHeight(), list.rowHeight()];
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + height > box.scrollTop + box.clientHeight) box.scrollTop = top + height - box.clientHeight;
    requestAnimationFrame(() => void nextTick(focus));
  }

  function focus(): void {
    const key = String(cursor.value?.key ?? '');
    const row = [...(list.box()?.querySelectorAll<HTMLElement>('[data-line]') ?? [])].find(
      ({ dataset }) => dataset.line === key,
    );
    row?.focus();
  }

  function go(by: number): void {
    list.touch();
    cursor.value = stepped(list.lines.value, cursor.value, by);
    if (cursor.value !== null) show(cursor.value.index);
  }

  function isSelected(alarms: readonly Alarm[]): boolean {
    const chosen = new Set(list.selection.value.map(({ id }) => id));
    return alarms.length > 0 && alarms.every(({ id }) => chosen.has(id));
  }

  function select(alarms: readonly Alarm[], always: boolean): void {
    const all = waiting(alarms);
    if (!may(OF_ALARM.acknowledge) || all.length === 0) return;
    list.touch();
    list.select(all, always || !isSelected(all));
  }

  function extend(by: number): void {
    select(alarmsOn(line()), true);
    go(by);
  }

  function acknowledge(alarms: readonly Alarm[]): void {
    const all = waiting(alarms);
    if (all.length > 0 && may(OF_ALARM.acknowledge)) list.act('acknowledge', all);
  }

  /** An act on the one alarm of the line. */
  function act(what: Act): void {
    const of = line();
    if (of?.kind !== 'alarm' || !may(OF_ALARM[what])) return;
    if (what === 'reset' && nextAct(of.alarm.state) !== 'reset') return;
    list.act(what, [of.alarm]);
  }

  function open(): void {
    const of = line();
    if (of?.kind === 'group') list.toggle(of.key);
    else if (of !== undefined && of.alarm.incident !== null) {
      void router.push({ name: 'incident', params: { id: of.alarm.incident } });
    }
  }

  /** `open`: what it is to be. */
  function fold(open: boolean): void {
    const of = line();
    if (of?.kind === 'group' && of.open !== open) list.toggle(of.key);
  }

  function reveal(): void {
    const index = indexOf(list.lines.value, cursor.value);
    if (index >= 0) show(index);
  }

  function refocus(): void {
    const [box, before, height] = [list.box(), cursor.value, list.rowHeight()];
    if (box === null || before === null) return;
    const isInView = (top: number): boolean => top >= 0 && top + height <= box.clientHeight;
    const top = before.index * height - box.scrollTop;
    if (!isInView(top)) return;
    void nextTick(() => {
      const found = indexOf(list.lines.value, before);
      const stays = found >= 0 && isInView(found * height - box.scrollTop);
      const index = stays ? found : Math.min(Math.round((box.scrollTop + top) / height), list.lines.value.length - 1);
      const at = list.lines.value[index];
      if (at === undefined) return;
      cursor.value = { key: at.key, index };
      show(index);
    });
  }

  function follow(element: Element): void {
    const at = element.closest<HTMLElement>('[data-line]')?.dataset.line;
    const index = at === undefined ? -1 : list.lines.value.findIndex(({ key: own }) => String(own) === at);
    const found = list.lines.value[index];
    if (found !== undefined) cursor.value = { key: found.key, index };
  }

  const key = (keys: string | string[], name: string, run: () => void) => ({ keys: [keys].flat(), name, run });
  useShortcuts('list', [
    key(['ArrowDown', 'j'], 'down', () => { go(1); }),
    key(['ArrowUp', 'k'], 'up', () => { go(-1); }),
    key('PageDown', 'pageDown', () => { go(PAGE); }),
    key('PageUp', 'pageUp', () => { go(-PAGE); }),
    key('Home', 'first', () => { go(-list.lines.value.length); }),
    key('End', 'last', () => { go(list.lines.value.length); }),
    key([' ', 'x'], 'select', () => { select(alarmsOn(line()), false); reveal(); }),
    key('Shift+ArrowDown', 'selectDown', () => { extend(1); }),
    key('Shift+ArrowUp', 'selectUp', () => { extend(-1); }),
    key('u', 'selectUnit', () => { select(sameUnit(list.rows.value, first()), true); }),
    key('Shift+X', 'selectAll', () => { select(list.rows.value, true); }),
    key('Escape', 'selectNone', list.selectNone),
    key('a', 'acknowledge', () => { acknowledge(toAcknowledge(list.selection.value, line(), cursor.value === null ? list.rows.value : [])); }),
    key('Shift+A', 'acknowledgeUnit', () => { acknowledge(sameUnit(list.rows.value, first())); }),
    key('r', 'reset', () => { act('reset'); }),
    key('s', 'shelve', () => { act('shelve'); }),
    key('c', 'comment', () => { act('comment'); }),
    key(['Enter', 'o'], 'open', open),
    key('ArrowRight', 'unfold', () => { fold(true); }),
    key('ArrowLeft', 'close', () => { fold(false); }),
    key('n', 'fresh', list.showNew),
  ]);

  return { cursor: computed(() => cursor.value?.key ?? null), refocus, follow };
}
