/** Panning and zooming by mouse, wheel and keyboard. */

import { onMounted, onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue';

import { fit, moved, zoomed, type Bounds, type Size, type View } from '@/map/view';
import { within } from '@/styles/enlarging';

const STEP = 80;
const FACTOR = 1.5;
/** A press that moves less than this is a click. */
const STILL = 5;
const WHEEL = 0.0016;

export interface Navigation {
  /** Null until the size of the surface is known, and where there is nothing to look at. */
  view: Ref<View | null>;
  size: Ref<Size>;
  dragging: Ref<boolean>;
  show: (view: View) => void;
  home: () => void;
  /** Above 1: nearer. */
  zoom: (factor: number) => void;
  handlers: Record<string, (event: never) => void>;
}

export function useNavigation(surface: Ref<HTMLElement | null>, bounds: () => Bounds | null): Navigation {
  const view = shallowRef<View | null>(null);
  const size = shallowRef<Size>({ width: 0, height: 0 });
  const dragging = ref(false);
  let pressed: { x: number; y: number; view: View } | null = null;
  let dragged = false;
  /** Nobody has looked elsewhere: another size of the window shows everything again. */
  let whole = true;

  function home(): void {
    const all = bounds();
    whole = true;
    view.value = all === null || size.value.width === 0 ? null : fit(all, size.value);
  }

  function show(next: View): void {
    whole = false;
    view.value = next;
  }

  function zoom(factor: number, x = size.value.width / 2, y = size.value.height / 2): void {
    if (view.value !== null) show(zoomed(view.value, factor, { x, y }, size.value));
  }

  function pan(right: number, down: number): void {
    if (view.value !== null) show(moved(view.value, right, down));
  }

  const keys: Record<string, () => void> = {
    ArrowLeft: () => { pan(STEP, 0); },
    ArrowRight: () => { pan(-STEP, 0); },
    ArrowUp: () => { pan(0, STEP); },
    ArrowDown: () => { pan(0, -STEP); },
    '+': () => { zoom(FACTOR); },
    '=': () => { zoom(FACTOR); },
    '-': () => { zoom(1 / FACTOR); },
    '0': home,
    Home: home,
  };

  const handlers: Navigation['handlers'] = {
    keydown(event: KeyboardEvent) {
      const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
      if (act === undefined) return;
      event.preventDefault();
      act();
    },
    wheel(event: WheelEvent) {
      event.preventDefault();
      const { x, y } = within(surface.value, event);
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : 30;
      zoom(Math.exp(-event.deltaY * lines * WHEEL), x, y);
    },
    pointerdown(event: PointerEvent) {
      dragged = false;
      pressed = event.button === 0 && view.value !== null ? { ...within(null, event), view: view.value } : null;
    },
    pointermove(event: PointerEvent) {
      if (pressed === null) return;
      const { x, y } = within(null, event);
      const [right, down] = [x - pressed.x, y - pressed.y];
      if (!dragging.value && Math.hypot(right, down) < STILL) return;
      if (!dragging.value) surface.value?.setPointerCapture(event.pointerId);
      dragging.value = true;
      dragged = true;
      show(moved(pressed.view, right, down));
    },
    pointerup: release,
    pointercancel: release,
    dragstart(event: DragEvent) {
      event.preventDefault();
    },
    clickCapture(event: MouseEvent) {
      if (!dragged) return;
      event.preventDefault();
      event.stopPropagation();
    },
  };

  function release(): void {
    pressed = null;
    dragging.value = false;
  }

  const observer = new ResizeObserver(([entry]) => {
    if (entry === undefined) return;
    size.value = { width: entry.contentRect.width, height: entry.contentRect.height };
    if (whole || view.value === null) home();
  });
  onMounted(() => {
    if (surface.value !== null) observer.observe(surface.value);
  });
  onScopeDispose(() => {
    observer.disconnect();
  });
  watch(bounds, () => {
    if (whole || view.value === null) home();
  });

  return { view, size, dragging, show, home, zoom, handlers };
}
