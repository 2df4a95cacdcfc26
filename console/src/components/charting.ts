/** Plots in a box: as large as the box, drawn anew with the theme and the language, gone with it. */

import uPlot from 'uplot';
import { onBeforeUnmount, ref, watch, type Ref, type ShallowRef, type WatchSource } from 'vue';
import { useI18n } from 'vue-i18n';

import { formatUnit, formatValue } from '@/format/numbers';
import { theme } from '@/preferences/preferences';
import { enlargement } from '@/styles/enlarging';
import { enlarged } from '@/trend/enlarged';
import type { PlotInputs } from '@/trend/plot';
import type { Columns } from '@/trend/series';

import 'uplot/dist/uPlot.min.css';

/** What a plot is told of where it is drawn. */
export type Frame = Pick<PlotInputs, 'width' | 'height' | 'colour'>;

export interface PlotSetup {
  /** Pixels that the plot takes of its box. */
  height: (box: HTMLElement) => number;
  data: () => uPlot.AlignedData;
  options: (frame: Frame) => uPlot.Options;
  /** The cursor has moved, or left. */
  moved: (plot: uPlot) => void;
  /** With it the options change, not only the data. */
  shape?: WatchSource;
}

export interface PlotInBox {
  redraw: () => void;
  /** The plot, while there is one. */
  drawn: () => uPlot | null;
}

/** Name of the last measure, from the data in hand to the drawn picture, in the browser's timeline. */
const DRAWN = 'anshao.plot';

export function usePlot(box: Readonly<ShallowRef<HTMLElement | null>>, setup: PlotSetup): PlotInBox {
  const { locale } = useI18n();
  let plot: uPlot | null = null;
  let begun = 0;
  let scale = 1;

  function measure(): void {
    performance.clearMeasures(DRAWN);
    performance.measure(DRAWN, { start: begun });
  }

  function build(element: HTMLElement): uPlot {
    begun = performance.now();
    const style = getComputedStyle(document.documentElement);
    scale = enlargement();
    const options = enlarged(setup.options({ ...sizeIn(element), colour: (name) => style.getPropertyValue(name).trim() }), scale);
    const { draw = [] } = options.hooks ?? {};
    options.hooks = { ...options.hooks, draw: [...draw, measure], setCursor: [setup.moved] };
    const made = new uPlot(options, setup.data(), element);
    made.root.style.zoom = String(1 / scale);
    return made;
  }

  /** A plot reads the pointer in the window's pixels, and is sharp in them: it is enlarged by what it draws. */
  function sizeIn(element: HTMLElement): { width: number; height: number } {
    return { width: Math.floor(element.clientWidth * scale), height: Math.floor(setup.height(element) * scale) };
  }

  const observer = new ResizeObserver(() => {
    if (box.value === null || plot === null) return;
    const size = sizeIn(box.value);
    if (scale !== enlargement()) renew();
    else if (plot.width !== size.width || plot.height !== size.height) plot.setSize(size);
  });

  function leave(): void {
    observer.disconnect();
    plot?.destroy();
    plot = null;
  }

  function renew(): void {
    leave();
    if (box.value === null) return;
    observer.observe(box.value);
    plot = build(box.value);
  }

  watch([box, theme, locale, setup.shape ?? ((): null => null)], renew, { flush: 'post', immediate: true });
  onBeforeUnmount(leave);

  function redraw(): void {
    begun = performance.now();
    plot?.setData(setup.data());
  }

  return { redraw, drawn: () => plot };
}

export interface ChartInputs {
  height: number;
  columns: Readonly<Ref<Columns>>;
  options: (frame: Pick<PlotInputs, 'width' | 'height' | 'columns' | 'colour'>) => uPlot.Options;
  /** Words for an instant, ms. */
  time: (at: number) => string;
  unit: () => string;
}

export interface Chart {
  /** The reading under the cursor, in words; empty where there is none. */
  cursor: Ref<string>;
  redraw: () => void;
}

/** A plot of one tag's readings. */
export function useChart(box: Readonly<ShallowRef<HTMLElement | null>>, inputs: ChartInputs): Chart {
  const { height, columns } = inputs;
  const cursor = ref('');

  function describe(index: number | null | undefined): string {
    if (index === null || index === undefined) return '';
    const [at, min, max, mean] = columns.value.map((column) => column[index]);
    if (at === undefined || at === null || mean === undefined || mean === null) return '';
    const band = min === max ? '' : ` (${formatValue(min)} … ${formatValue(max)})`;
    return `${inputs.time(at * 1000)}  ${formatValue(mean)} ${formatUnit(inputs.unit())}${band}`;
  }

  const { redraw } = usePlot(box, {
    height: () => height,
    data: () => columns.value,
    options: (frame) => inputs.options({ ...frame, columns: () => columns.value }),
    moved: (plot) => {
      cursor.value = describe(plot.cursor.idx);
    },
  });
  return { cursor, redraw };
}
