/** The rows of the alarm list while someone points at them, and when nobody does. */

import { computed, onScopeDispose, ref, shallowRef, type ComputedRef, type Ref } from 'vue';

import { hold, HOLD_MS, type Held } from '@/alarms/holding';
import type { Alarm } from '@/api/types';

export interface HeldRows {
  rows: ComputedRef<readonly Alarm[]>;
  held: ComputedRef<Held | null>;
  /** Someone points at the list; keeps it for a while longer. */
  touch: () => void;
  release: () => void;
  /** Keeps the list until released, for as long as a dialog is open. */
  pin: () => void;
}

interface Frozen {
  ids: readonly number[];
  alarms: ReadonlyMap<number, Alarm>;
}

export function useHeldRows(
  current: ComputedRef<readonly Alarm[]>,
  lookup: ComputedRef<(id: number) => Alarm | undefined>,
  beforeRelease: (shown: readonly Alarm[]) => void,
): HeldRows {
  const frozen = shallowRef<Frozen | null>(null);
  const pinned: Ref<boolean> = ref(false);
  let timer: ReturnType<typeof setTimeout> | undefined;

  const rows = computed<readonly Alarm[]>(() => {
    const kept = frozen.value;
    if (kept === null) return current.value;
    return kept.ids.flatMap((id) => {
      const known = lookup.value(id);
      if (known !== undefined) return [known];
      const before = kept.alarms.get(id);
      return before === undefined ? [] : [{ ...before, state: 'normal' as const, condition: false }];
    });
  });
  const held = computed(() => (frozen.value === null ? null : hold(frozen.value.ids, current.value)));

  function freeze(): void {
    if (frozen.value !== null) return;
    const shown = current.value;
    frozen.value = { ids: shown.map((alarm) => alarm.id), alarms: new Map(shown.map((alarm) => [alarm.id, alarm])) };
  }

  function release(): void {
    clearTimeout(timer);
    pinned.value = false;
    if (frozen.value === null) return;
    beforeRelease(rows.value);
    frozen.value = null;
  }

  function touch(): void {
    freeze();
    clearTimeout(timer);
    if (pinned.value) return;
    timer = setTimeout(release, HOLD_MS);
  }

  onScopeDispose(() => {
    clearTimeout(timer);
  });

  return {
    rows,
    held,
    touch,
    release,
    pin() {
      freeze();
      pinned.value = true;
      clearTimeout(timer);
    },
  };
}
