/** What stands above the alarm list waits while somebody points at the page: the list would move under the cursor. */

import { computed, onScopeDispose, ref, type ComputedRef, type Ref } from 'vue';

import { gravest } from '@/alarms/grades';
import { HOLD_MS } from '@/alarms/holding';
import type { Grade, Incident } from '@/api/types';

export interface Still {
  still: Ref<boolean>;
  /** Somebody points; for a while longer. */
  touch: () => void;
  release: () => void;
}

export function useStill(): Still {
  const still = ref(false);
  let timer: ReturnType<typeof setTimeout> | undefined;

  function release(): void {
    clearTimeout(timer);
    still.value = false;
  }

  onScopeDispose(release);
  return {
    still,
    release,
    touch() {
      clearTimeout(timer);
      timer = setTimeout(release, HOLD_MS);
      still.value = true;
    },
  };
}

/** As it was when `still` began. */
export function whileStill<Value>(still: () => boolean, value: () => Value): ComputedRef<Value> {
  return computed<Value>((before) => (still() && before !== undefined ? before : value()));
}

export interface Placed {
  /** Those that were there, as they are now; one that is over stays as it was. */
  incidents: readonly Incident[];
  waiting: number;
  /** The gravest among those that wait. */
  grade: Grade | null;
}

export function placed(shown: readonly Incident[], current: readonly Incident[]): Placed {
  const now = new Map(current.map((incident) => [incident.id, incident]));
  const incidents = shown.map((incident) => now.get(incident.id) ?? incident);
  for (const { id } of shown) now.delete(id);
  return { incidents, waiting: now.size, grade: gravest([...now.values()].map(({ grade }) => grade)) };
}
