/** A plot of a tag's readings in a box: as wide as the box, drawn anew with the theme and the language, gone with it. */

import uPlot from 'uplot';
import { onBeforeUnmount, ref, watch, type Ref, type ShallowRef } from 'vue';
import { useI18n } from 'vue-i18n';

import { formatUnit, formatValue } from '@/format/numbers';
import { theme } from '@/preferences/preferences';
import type { PlotInputs } from '@/trend/plot';
import type { Columns } from '@/trend/series';

import 'uplot/dist/uPlot.min.css';

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

export function useChart(box: Readonly<ShallowRef<HTMLElement | null>>, inputs: ChartInputs): Chart {
  const { height, columns } = inputs;
  const { locale } = useI18n();
  const cursor = ref('');
  let plot: uPlot | null = null;

  function describe(index: number | null | undefined): string {
    if (index === null || index === undefined) return '';
    const [at, min, max, mean] = columns.value.map((column) => column[index]);
    if (at === undefined || at === null || mean === undefined || mean === null) return '';
    const band = min === max ? '' : ` (${formatValue(min)} … ${formatValue(max)})`;
    return `${inputs.time(at * 1000)}  ${formatValue(mean)} ${formatUnit(inputs.unit())}${band}`;
  }

  function build(element: HTMLElement): uPlot {
    const style = getComputedStyle(document.documentElement);
    const options = inputs.options({
      width: element.clientWidth,
      height,
      columns: () => columns.value,
      colour: (name) => style.getPropertyValue(name).trim(),
    });
    options.hooks = { ...options.hooks, setCursor: [(self) => (cursor.value = describe(self.cursor.idx))] };
    return new uPlot(options, columns.value, element);
  }

  const observer = new ResizeObserver(() => {
    const width = box.value?.clientWidth;
    if (width !== undefined && plot !== null && plot.width !== width) plot.setSize({ width, height });
  });

  function leave(): void {
    observer.disconnect();
    plot?.destroy();
    plot = null;
  }

  watch(
    [box, theme, locale],
    ([element]) => {
      leave();
      if (element === null) return;
      observer.observe(element);
      plot = build(element);
    },
    { flush: 'post' },
  );
  onBeforeUnmount(leave);

  return { cursor, redraw: () => plot?.setData(columns.value) };
}
